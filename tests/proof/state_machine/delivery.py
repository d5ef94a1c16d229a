"""One message in the hands of one worker thread."""

import threading
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from models import Stage
from tests.proof.state_machine.boundaries import Crash, CrashSchedule, Killed, on_course
from worker.context import WorkerContext
from worker.engine.pipeline import ChainAction, RunBudget, process, settle

_PATIENCE: Final = 60.0


class Delivery:
    """A delivery that may die on its way, or freeze and be let go later."""

    def __init__(
        self,
        context: WorkerContext,
        mailing_ids: Sequence[int],
        stage: Stage,
        pace: RunBudget,
        strike: Crash | None,
    ) -> None:
        self.course = CrashSchedule(strike)
        self.mailing_ids = mailing_ids
        self.stage = stage
        self.next = ChainAction.NOTHING
        self.done = False
        self.trouble: SQLAlchemyError | None = None
        self.broke: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, args=(context, mailing_ids, stage, pace), name="delivery", daemon=True
        )

    @property
    def frozen(self) -> bool:
        return not self.done

    def begin(self) -> "Delivery":
        """Run until it is over or frozen."""
        self._thread.start()
        return self._until_at_rest()

    def let_go(self, strike: Crash | None = None) -> "Delivery":
        """Thaw it, perhaps for another fate, and run until it is over or frozen again."""
        self.course.at_rest.clear()
        self.course.strike, self.course.struck, self.course._fitting = strike, None, 0
        self.course.let_go.set()
        return self._until_at_rest()

    def _until_at_rest(self) -> "Delivery":
        assert self.course.at_rest.wait(_PATIENCE), f"a delivery hangs after {self.course.passed}"
        if self.done:
            self._thread.join(_PATIENCE)
        if self.broke is not None:
            raise self.broke
        return self

    def _run(self, context: WorkerContext, mailing_ids: Sequence[int], stage: Stage, pace: RunBudget) -> None:
        def job() -> ChainAction:
            if stage is Stage.SETTLE:
                settle(context, mailing_ids, pace)
                return ChainAction.NOTHING
            return process(context, mailing_ids, stage, pace)

        try:
            self.next = on_course(self.course, job)
            assert not self.course.dead, f"a kill was swallowed at {self.course.struck}"
        except Killed:
            if self.course.passed[-1].endswith("although dead"):
                self.broke = AssertionError(f"a killed worker went on: {self.course.passed}")
        except SQLAlchemyError as trouble:
            self.trouble = trouble
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            self.broke = error
        finally:
            self.done = True
            self.course.at_rest.set()
