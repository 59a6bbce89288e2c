"""``python -m tests.faults [CAMPAIGN…]``: stages faults, counts what became of them, and prints a table."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.campaign import Campaign, Skipped, Tally
from tests.faults.campaigns import CAMPAIGNS

_LINE = "{:<11}{:>8}{:>9}{:>9}  {}"


def main() -> int:
    options = _options()
    print(f"seed {options.seed}: --seed {options.seed} stages the same faults again")
    print(_LINE.format("campaign", "rounds", "seconds", "found", "counted"))
    passed = [_passes(CAMPAIGNS[name], options) for name in options.campaigns or CAMPAIGNS]
    return int(not all(passed))


def _passes(campaign: Campaign, options: argparse.Namespace) -> bool:
    rounds = options.rounds or (campaign.long if options.long else campaign.short)
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix=f"alp-{campaign.name}-", dir=options.work) as folder:
            tally = campaign.run(Path(folder) / "site", rounds, options.seed)
    except Skipped as reason:
        print(_LINE.format(campaign.name, 0, "", "skipped", reason), flush=True)
        return True
    except Exception as error:  # noqa: BLE001  one campaign that breaks must not end the others
        tally = Tally(faults=[f"{type(error).__name__}: {str(error)[-600:]} ({_way_to(error)})"])
    seconds = f"{time.monotonic() - began:,.0f}"
    print(_LINE.format(campaign.name, f"{tally.rounds:,}", seconds, len(tally.faults), tally), flush=True)
    for fault in tally.faults[: options.faults]:
        print(f"  {campaign.promise}: {fault}")
    return not tally.faults


def _way_to(error: Exception) -> str:
    steps = traceback.extract_tb(error.__traceback__)[1:]
    return " → ".join(f"{Path(step.filename).name}:{step.lineno}" for step in steps)


def _options() -> argparse.Namespace:
    listed = "\n".join(
        f"  {each.name:<11}{each.promise} ({each.short:,}; {each.long:,})" for each in CAMPAIGNS.values()
    )
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=f"{__doc__}\n\ncampaigns, their promises, and rounds (short; long):\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("campaigns", nargs="*", choices=[*CAMPAIGNS], metavar="CAMPAIGN", help="all by default")
    parser.add_argument("--long", action="store_true", help="as many rounds as a night has room for")
    parser.add_argument("--rounds", type=int, help="so many instead")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6, help="of all that is left to chance")
    parser.add_argument("--faults", type=int, default=10, help="how many broken promises to print of each")
    parser.add_argument("--work", type=Path, help="folder for what the campaigns write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
