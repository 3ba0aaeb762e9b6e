"""The card of a campaign's potential stands beside its results."""

from lah10.campaign.potential import describe


def test_the_card_is_taken_over(tmp_path):
    (tmp_path / "PROVENANCE.md").write_text("# Card\n\nErrors: 3 meV\n")
    describe(tmp_path / "lah10.pb", "a" * 64, tmp_path / "out.md")
    head, _, *card = (tmp_path / "out.md").read_text().splitlines()
    assert "lah10.pb" in head and "a" * 64 in head
    assert card == ["# Card", "", "Errors: 3 meV"]


def test_a_potential_without_a_card_is_called_one(tmp_path):
    describe(tmp_path / "own.pb", "b" * 64, tmp_path / "out.md")
    assert "has no card" in (tmp_path / "out.md").read_text()
