"""Parts are started in order, and a start that cannot succeed says why and ends."""

from tests.up.runs import Bench


def test_a_part_waits_for_those_it_comes_after(bench: Bench) -> None:
    sign = bench.folder / "sign"
    first = bench.part("first", f"time.sleep(0.5); open({str(sign)!r}, 'w'); time.sleep(600)", ready_file=str(sign))
    with bench.supervise(bench.part("second", after=["first"]), first) as run:
        run.wait_for("second", "pid")
        events = [(one["part"], one["event"].split()[0]) for one in run.events if "part" in one]
        assert events.index(("first", "ready")) < events.index(("second", "pid"))


def test_a_part_with_one_job_is_ready_once_it_is_done(bench: Bench) -> None:
    job = bench.part("job", "time.sleep(0.3); print('migrated')", once=True)
    with bench.supervise(job, bench.part("after", after=["job"])) as run:
        run.wait_for("after", "pid")
        events = [(one["part"], one["event"].split()[0]) for one in run.events if "part" in one]
        assert events.index(("job", "migrated")) < events.index(("after", "pid"))
        run.process.terminate()
        assert run.end() == 0
        assert len(run.said("job", "pid")) == 1


def test_a_job_that_fails_ends_the_start_with_its_last_line_as_the_reason(bench: Bench) -> None:
    job = bench.part("job", "sys.exit('the disk is full')", once=True, tries=1)
    with bench.supervise(bench.part("other"), job) as run:
        assert run.end() == 1
        said = run.said("", "could not start")
        assert said == ["could not start: job ended with exit code 1 before it was ready: the disk is full"]


def test_a_part_that_never_gets_ready_is_given_up_after_its_tries(bench: Bench) -> None:
    never = str(bench.folder / "never")
    part = bench.part("web", "sys.exit(3)", ready_file=never, tries=3)
    with bench.supervise(part, bench.part("other"), patience={"first": 0.05}) as run:
        assert run.end() == 1
        assert len(run.said("web", "pid")) == 3
        assert run.said("", "could not start: web ended with exit code 3")


def test_a_program_that_is_not_there_ends_the_start(bench: Bench) -> None:
    gone = {"name": "gone", "code": str(bench.folder / "gone.py"), "tries": 1, "once": True}
    with bench.supervise(gone) as run:
        assert run.end() == 1
        assert run.said("", "could not start: gone")


def test_a_slow_part_is_mentioned(bench: Bench) -> None:
    part = bench.part("web", ready_file=str(bench.folder / "never"))
    with bench.supervise(part, patience={"slow": 0.2}) as run:
        run.wait_for("web", "not ready after")
        assert len(run.said("web", "not ready after")) == 1
