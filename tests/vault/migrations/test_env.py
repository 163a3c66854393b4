from holdfast.ledger.store import Ledger
from holdfast.vault.store import Vault


def test_vault_and_ledger_can_share_a_database(vault: Vault, vault_url: str) -> None:
    with Ledger(vault_url) as ledger:
        assert ledger.verify().ok
    assert vault.count() == {}
