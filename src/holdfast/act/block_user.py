"""`block_user`: one abusing user is refused. Every block has an id, which the user is told and support can look up and lift."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import in_force
from holdfast.control.effects import Block
from holdfast.control.snapshot import Snapshot
from holdfast.core.ids import random_id


class BlockUserArguments(Arguments, frozen=True, kw_only=True):
    """Nothing: the scope says who."""


class BlockUser:
    """Refuses the user in scope."""

    name = "block_user"
    summary = "refuse one user; the block has an id that support can look up and lift"
    arguments = BlockUserArguments
    caps = Caps(users=20, traffic=0.05)
    needs = ("user",)

    def effect(self, arguments: BlockUserArguments, scope: dict[str, str], snapshot: Snapshot) -> Block:
        """A block with a new id."""
        return Block(block_id=random_id("blk"))

    def does(self, effect: Block) -> str:
        """In words."""
        return "the user is refused, and told the id of the block"

    def before(self, effect: Block, scope: dict[str, str], snapshot: Snapshot) -> str:
        """Whether the user is blocked already."""
        standing = in_force(scope, snapshot).block
        return f"blocked as {standing.block_id}" if standing else "served"
