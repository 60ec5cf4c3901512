from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from backend.domain.errors import Unavailable
from backend.domain.source import ArtifactType
from backend.storage.base import Commit
from backend.storage.sql.prepared import PreparedInsert, PreparedSelect
from backend.storage.sql.schema import artifacts, audit, files, metadata
from backend.storage.sql.sqlite import open_sqlite
from backend.storage.tests.factories import ADMIN, an_artifact

ENTRY = {
    "sequence": 1,
    "previous": "0",
    "digest": "1",
    "id": "1",
    "artifact_id": "a",
    "artifact_name": "thing",
    "artifact_type": ArtifactType.MODEL,
    "user_name": "admin",
    "user_is_admin": True,
    "action": "CREATE",
    "date": 5,
}


def test_a_column_that_needs_converting_is_refused() -> None:
    with pytest.raises(ValueError, match="verified would come back as stored"):
        PreparedSelect(select(files))


def test_rows_go_in_and_come_out_as_they_do_plainly() -> None:
    engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    columns = [audit.c.id, audit.c.artifact_type, audit.c.date]
    plain = select(*columns).where(audit.c.artifact_name == "thing").order_by(audit.c.id)
    with engine.connect() as connection:
        metadata.create_all(connection)

        inserted = PreparedInsert(audit).run(connection, [ENTRY, ENTRY | {"sequence": 2, "id": "2"}, ENTRY])

        assert inserted == 2
        assert [tuple(row) for row in PreparedSelect(plain).rows(connection, {})] == [
            tuple(row) for row in connection.execute(plain)
        ]
        assert connection.execute(select(audit.c.user_is_admin)).scalars().all() == [True, True]
    engine.dispose()


async def test_a_database_that_fails_a_prepared_statement_is_unavailable(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "registry.db")
    artifact = an_artifact()
    await store.commit(Commit(artifact))
    await store._run.write(artifacts.drop)

    with pytest.raises(Unavailable, match="no such table"):
        await store.get(ADMIN, artifact.type, artifact.id)
    with pytest.raises(Unavailable, match="no such table"):
        await store.commit(Commit(an_artifact()))

    await store.close()
