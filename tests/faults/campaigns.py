"""The campaigns by name. Rounds: for a look in a minute or two each, and for a night."""

from __future__ import annotations

from tests.faults import (
    burst,
    clients,
    clock,
    connections,
    disk,
    growth,
    guesses,
    hostile,
    kills,
    pairs,
    power,
    soak,
    stateful,
)
from tests.faults.campaign import Campaign

CAMPAIGNS = {
    campaign.name: campaign
    for campaign in (
        Campaign("clients", "no file of a killed client is applied", clients.run, 60, 2_000),
        Campaign("cut", "no file of a lost connection is applied", connections.run, 140, 2_000),
        Campaign("pairs", "files of one name do not touch each other", pairs.run, 40, 500),
        Campaign("guesses", "four passwords are judged, for one hour", guesses.run, 10, 100),
        Campaign("kills", "a kill and a restart change nothing", kills.run, 6, 500),
        Campaign("disk", "a client is told, and nothing is lost", disk.run, 20, 200),
        Campaign("clock", "a clock that is set changes no list and no order", clock.run, 20, 200),
        Campaign("power", "what was acknowledged outlives a power cut", power.run, 5, 200),
        Campaign("burst", "no dropped file is missed", burst.run, 1_000, 10 * burst.FILES),
        Campaign("hostile", "a file ends as a file does", hostile.run, 200, 10_000),
        Campaign("stateful", "the list is what the rules say", stateful.run, 1_000, 10_000),
        Campaign("growth", "no process grows with the files it takes", growth.run, 1_000, 20_000),
        Campaign("soak", "lists are right and no process grows", soak.run, 120, 7_200),
    )
}
