"""What goes beyond looking facts up, each by its own setting: a second reader of the card, and a run of its code."""

from dataclasses import dataclass
from datetime import datetime

import anyio.to_thread

from backend.services.evidence.second_reader import SecondReader
from backend.sources.demonstration_runner import DemonstrationRunner, NoSandbox
from metrics.evidence import DemonstrationRun, Evidence, Fact, Missing, SecondReading
from metrics.reproducibility import code_to_run


@dataclass(frozen=True, slots=True)
class Scrutiny:
    """The second reader and the runner of demonstrations, None where they are not set up."""

    second_reader: SecondReader | None = None
    runner: DemonstrationRunner | None = None

    async def second_reading(self, card: Fact[str], at: datetime) -> Fact[SecondReading]:
        """What the second reader makes of a card; its failures are missing facts."""
        if self.second_reader is None:
            return Fact.lacking(Missing.NOT_ASKED)
        return await self.second_reader.read(card, at)

    async def demonstration(self, evidence: Evidence) -> Fact[DemonstrationRun]:
        """How running the card's code ended, where it looks sound enough to be run and can be locked in."""
        if self.runner is None:
            return Fact.lacking(Missing.NOT_ASKED)
        source, at = evidence.card.source, evidence.gathered_at
        blocks = await anyio.to_thread.run_sync(code_to_run, evidence)
        if not blocks:
            return Fact.lacking(Missing.NOT_ASKED, "the card shows no Python that looks sound enough", source, at)
        try:
            return Fact(await self.runner.run(blocks), source=source, at=at)
        except NoSandbox as refusal:
            return Fact.lacking(Missing.NOT_ASKED, str(refusal), source, at)

    async def close(self) -> None:
        """Give up open questions to the second reader."""
        if self.second_reader is not None:
            await self.second_reader.close()
