import Testing

@testable import Loadtest

@Suite struct RoleFiguresTests {
    @Test func aPageIsAddedUpOverItsLabels() {
        let figures = RoleFigures(
            page: """
                # HELP flotilla_messages_total Attempts.
                # TYPE flotilla_messages_total counter
                flotilla_messages_total{channel="email",provider="relay",outcome="sent"} 40
                flotilla_messages_total{channel="sms",provider="gateway",outcome="sent"} 2
                flotilla_messages_total{channel="email",provider="relay",outcome="failed"} 1
                flotilla_delivery_seconds_bucket{channel="email",provider="relay",le="0.1"} 3
                flotilla_delivery_seconds_bucket{channel="email",provider="relay",le="+Inf"} 5
                flotilla_delivery_seconds_sum{channel="email",provider="relay"} 1.5
                flotilla_batches_ready{channel="email"} 3
                flotilla_batches_ready{channel="sms"} 1
                flotilla_status_lag_seconds 0.25
                process_cpu_seconds_total 5
                flotilla_broken
                """)
        #expect(figures.outcomes == ["sent": 42, "failed": 1])
        #expect(figures.delivery.count == 5 && figures.delivery.quantile(0.5) != nil)
        #expect(figures.ready == 4 && figures.lag == 0.25 && figures.inFlight == nil)
    }

    @Test func countsOfAProcessThatHasEndedAreKept() {
        let member = FleetProcess(.worker, name: "worker-1", number: 0, port: 0)
        member.figures.outcomes = ["sent": 10]
        member.close("killed")
        member.figures.outcomes = ["sent": 5]
        #expect(member.counts.outcomes == ["sent": 15])
    }

    @Test func procIsReadWhateverACommandIsCalled() {
        let stat = "12 (a ) b) S 1 1 1 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 4 0 100 1 1"
        let status = "Name:\ta\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n"
        let figures = ProcessFigures(stat: stat, status: status, ticks: 100)
        #expect(figures == ProcessFigures(stat: stat, status: status, ticks: 100))
        #expect(figures?.cpu == 2 && figures?.memory == 1 << 20 && figures?.peak == 2 << 20)
        #expect(ProcessFigures(stat: "", status: status, ticks: 100) == nil)
    }
}
