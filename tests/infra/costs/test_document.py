import re

import pytest

from infra.costs.counts import alarm_metrics, custom_metrics
from infra.costs.document import DOCUMENT, renewed, workloads
from infra.costs.prices import Price
from infra.costs.table import costs_table, prices_table
from infra.costs.usage import bill


def test_the_deployment_guide_shows_todays_costs() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert renewed(text) == text, "run `make costs`"


def test_every_price_has_its_source_and_is_used() -> None:
    rows = prices_table().splitlines()
    assert len(rows) == 2 + len(Price)
    assert all(re.search(r"<https://aws\.amazon\.com/[a-z0-9/-]+/pricing/[a-z/-]*>", row) for row in rows[2:])
    assert {line.price for line in bill(workloads()[0][1])} == set(Price)


def test_the_rows_of_the_costs_add_up() -> None:
    rows = [row.strip("| ").split(" | ") for row in costs_table(workloads()).splitlines()[2:]]
    for column in range(1, 4):
        amounts = [float(row[column].strip("*").replace(",", "")) for row in rows]
        assert sum(amounts[:-1]) == pytest.approx(amounts[-1], abs=0.06)


def test_a_document_without_its_marks_is_not_renewed() -> None:
    with pytest.raises(ValueError, match="marks"):
        renewed("no mark at all")


def test_what_is_paid_by_the_piece_is_counted_from_code_and_templates() -> None:
    # 35 metrics by the service alone, 9 by each of 3 statuses, 11 by each of 2 queues, 25 of Container Insights.
    assert custom_metrics() == 35 + 3 * 9 + 2 * 11 + 25
    assert alarm_metrics() > 11
