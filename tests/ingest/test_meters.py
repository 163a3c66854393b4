from holdfast.ingest.meters import Meters


def test_what_was_counted_is_exposed_by_name_and_label() -> None:
    meters = Meters()
    meters.accepted.labels("traces").inc(3)
    meters.rejected.labels("traces", "invalid").inc()
    text = meters.exposition().decode()
    assert 'holdfast_ingest_accepted_total{feed="traces"} 3.0' in text
    assert 'holdfast_ingest_rejected_total{feed="traces",reason="invalid"} 1.0' in text


def test_two_receivers_of_one_process_count_apart() -> None:
    first, second = Meters(), Meters()
    first.accepted.labels("logs").inc()
    assert "feed=" not in second.exposition().decode()


def test_acknowledgements_are_counted_around_the_promised_bound() -> None:
    meters = Meters()
    meters.ack_seconds.labels("traces").observe(0.2)
    assert 'holdfast_ingest_ack_seconds_bucket{feed="traces",le="0.25"} 1.0' in meters.exposition().decode()
