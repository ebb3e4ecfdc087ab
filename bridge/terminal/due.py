"""When an answer would be due, as a person reads it."""

from bridge.policy.rules import stamp
from bridge.policy.zones import load_zone
from bridge.service.due import Expected
from bridge.terminal.output import escaped, say, table


def show_expected(found: Expected) -> None:
    """Opening and due time, there and in UTC, and what they were computed from."""
    zone = load_zone(found.zone)
    rows = [
        (name, f"{at.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}", stamp(at))
        for name, at in (
            ("Opened", found.opened_at),
            ("First response due", found.due.at),
            ("That is, by", found.due.by_close),
        )
    ]
    table(f"Due in {found.zone}", ("What", "There", "UTC"), rows)
    inputs = found.inputs
    if country := inputs["country"]:
        place = f"Country {country} ({inputs['country_source']})"
    else:
        place = "No country, so no public holidays (--country says whose)"
    say(f"{place}, holidays {inputs['holidays_version']}, zones {inputs['iana_version']}.")
    if closed := inputs["closed_dates"]:
        say(f"Closed days between: {', '.join(map(str, closed))}.")
    for warning in found.warnings:
        say(f"[yellow]Note:[/] {escaped(warning)}.")
