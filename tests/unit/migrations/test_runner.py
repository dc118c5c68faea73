"""Migrations: numbered without a gap, sorted, and identified by a checksum."""

import re
from pathlib import Path

import pytest

from medianest.migrations.runner import MigrationError, migrations


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text(f"-- {name}\nSELECT 'é';\n", encoding="utf-8")
    return folder


def test_migrations_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    ordered = migrations(
        write(tmp_path, *(f"{n:04}_step.sql" for n in (11, 3, 1, 2, 10, *range(4, 10))))
    )
    assert [item.version for item in ordered] == list(range(1, 12))
    assert ordered[10].name == "0011_step"
    assert ordered[0].statements == "-- 0001_step.sql\nSELECT 'é';\n"


def test_files_without_a_number_are_ignored(tmp_path: Path) -> None:
    folder = write(tmp_path, "0001_one.sql", "README.md", "notes.sql", "0002_two.sql.bak", "_3.sql")
    assert [item.name for item in migrations(folder)] == ["0001_one"]


def test_an_empty_folder_has_no_migrations(tmp_path: Path) -> None:
    assert migrations(tmp_path) == []


@pytest.mark.parametrize(
    "names",
    [
        ("0002_two.sql",),
        ("0000_zero.sql", "0001_one.sql"),
        ("0001_one.sql", "0003_three.sql"),
        ("0001_one.sql", "0002_two.sql", "0002_also_two.sql"),
        ("0001_one.sql", "0001_also_one.sql"),
        ("1_one.sql", "01_also_one.sql"),
        ("0001_one.sql", "2x_two.sql"),
    ],
    ids=",".join,
)
def test_a_gap_or_a_duplicate_number_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(MigrationError, match="numbered"):
        migrations(write(tmp_path, *names))


def test_a_checksum_depends_on_the_content(tmp_path: Path) -> None:
    (before,) = migrations(write(tmp_path, "0001_one.sql"))
    (again,) = migrations(tmp_path)
    assert again.checksum == before.checksum
    (tmp_path / "0001_one.sql").write_text("SELECT 2;", encoding="utf-8")
    (after,) = migrations(tmp_path)
    assert after.checksum != before.checksum


def test_the_migrations_of_the_project_are_well_formed() -> None:
    project_migrations = migrations()
    assert project_migrations
    for migration in project_migrations:
        assert migration.name.startswith(f"{migration.version:04}_")
        assert migration.statements.strip().endswith(";")
        # A migration runs inside the runner's transaction and must not end it.
        assert not re.search(r"\bCOMMIT\b", migration.statements.upper())
        assert "CONCURRENTLY" not in migration.statements.upper()
