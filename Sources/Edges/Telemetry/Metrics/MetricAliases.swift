/// Old names of metrics. This version still exposes each of them beside the new one; `docs/changelog.md` lists them.
enum MetricAliases {
    /// Current name to deprecated name.
    static let deprecated = [
        "flotilla_batches_quarantined_total": "flotilla_batches_set_aside_total",
        "flotilla_http_responses_total": "flotilla_http_answers_total",
        "flotilla_scope_adaptive_rate": "flotilla_scope_pace",
        "flotilla_throttle_reservation_requests_total": "flotilla_throttle_reservations_total",
        "flotilla_throttle_reservations_dropped_total": "flotilla_throttle_slots_dropped_total",
    ]
}
