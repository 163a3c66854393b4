from holdfast.act.block_user import BlockUser, BlockUserArguments
from holdfast.control.effects import Block
from tests.act.examples import EXAMPLE, USER
from tests.control.examples import lease, snapshot

ACTION = BlockUser()


def test_every_block_has_an_id_of_its_own() -> None:
    first, second = (ACTION.effect(BlockUserArguments(), USER, EXAMPLE).block_id for _ in range(2))
    assert first.startswith("blk_")
    assert first != second


def test_the_id_is_not_promised_before_there_is_one() -> None:
    assert "blk_" not in ACTION.does(Block(block_id="blk_1"))


def test_a_user_who_is_blocked_already_is_said_to_be() -> None:
    wanted = Block(block_id="blk_2")
    assert ACTION.before(wanted, USER, EXAMPLE) == "served"
    assert ACTION.before(wanted, USER, snapshot(lease(Block(block_id="blk_1"), scope=USER))) == "blocked as blk_1"
