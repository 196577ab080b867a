import Foundation
import TestServers
import Testing

/// The roles as processes of their own, on a Redis that they share.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FleetTests {
    @Test func aFleetSendsAMailingAndCanBeWatched() async throws {
        let sink = try await RunningSink("smtp", ["--fail", "450=0.05"])
        let port = try freePort()
        let redis = try await RedisServer(["--requirepass", "sesam"], port: port)
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3000))
        let watched = try freePort()
        let fleet = [
            "FLOTILLA_REDIS_URL": "redis://127.0.0.1:\(port)", "FLOTILLA_REDIS_PASSWORD": "sesam",
            "FLOTILLA_LEDGER_PATH": mailing.ledger,
        ]
        let added = try await Program.run(["mailing", "add", mailing.mailing], environment: fleet)
        #expect(added.status == 0, "\(added.errors)")
        let id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let roles = [
            try RunningProgram(["collector"], environment: fleet),
            try RunningProgram(["worker"], environment: fleet.merging(["FLOTILLA_METRICS_LISTEN": "127.0.0.1:\(watched)"]) { $1 }),
            try RunningProgram(["worker"], environment: fleet),
            try RunningProgram(["planner"], environment: fleet),
        ]
        try await eventually("all is sent") { try mailing.count("sent") == 3000 }
        let page = try await get("http://127.0.0.1:\(watched)/metrics")
        #expect(page.contains(#"flotilla_messages_total{channel="email""#))
        for name in [
            "flotilla_delivery_seconds_bucket", "flotilla_queue_wait_seconds_bucket", "flotilla_redis_round_trip_seconds_bucket",
            "flotilla_batches_ready", "flotilla_status_lag_entries", "flotilla_events_waiting", "flotilla_build_info",
            "process_resident_memory_bytes",
        ] {
            #expect(page.contains(name), "\(name)")
        }
        let folder = try TemporaryFolder()
        let file = try folder.write(page, to: "page")
        let checked = try ServerProcess(
            "sh", ["-c", "promtool check metrics < \"$1\"", "sh", file], package: "prometheus", output: folder.path("out"))
        #expect(checked.wait() == 0, "\((try? String(contentsOfFile: folder.path("out"), encoding: .utf8)) ?? "")")
        #expect(try await get("http://127.0.0.1:\(watched)/healthz") == "ok\n")
        try await eventually("ready") { try await get("http://127.0.0.1:\(watched)/readyz").contains("true") }

        redis.stop()
        try await eventually("not ready without Redis") { try await get("http://127.0.0.1:\(watched)/readyz").contains("false") }
        try await redis.start()
        try await eventually("ready again") { try await !get("http://127.0.0.1:\(watched)/readyz").contains("false") }

        for role in roles.reversed() {
            role.signal(SIGTERM)
            #expect(try await role.end() == 0, "\(role.errors)")
            #expect(!role.errors.contains("sesam"))
        }
        let report = try await Program.run(["mailing", "report", id, "--ledger", mailing.ledger, "--json"])
        #expect(report.status == 0 && report.output.contains("\"sent\" : 3000"), "\(report)")
        try await sink.stop()
        #expect(try sink.arrived().count == 3000)
        #expect(Set(try sink.arrived()).count == 3000)
        redis.stop()
    }

    @Test func anUnavailableProviderDelaysNobodyElse() async throws {
        let watched = try freePort()
        let fleet = try await Fleet(2000, environment: ["FLOTILLA_METRICS_LISTEN": "off"])
        let away = try await fleet.add(5000, provider: "smtp://127.0.0.1:\(try freePort())")
        try fleet.start("collector", "planner")
        try fleet.start("worker", environment: ["FLOTILLA_METRICS_LISTEN": "127.0.0.1:\(watched)"])
        try await eventually("all others are sent") {
            try fleet.mailing.query("SELECT state FROM mailing WHERE id = '\(fleet.id)'") == ["sent"]
        }
        try await eventually("the worker says what is wrong") {
            try await get("http://127.0.0.1:\(watched)/readyz").contains(" failures, ")
        }
        try await eventually("it is said what blocks it") {
            let view =
                try JSONSerialization.jsonObject(with: Data(await fleet.run("top", "--json", "--every", "0.1").output.utf8))
                as? [String: Any]
            let mailing = (view?["mailings"] as? [[String: Any]])?.first { $0["id"] as? String == away }
            return mailing?["blocking_kind"] as? String == "breaker_open"
        }
        #expect(try await fleet.run("mailing", "stop", away).status == 0)
        try await eventually("nobody of it is left open") {
            try fleet.mailing.query("SELECT n FROM counter WHERE mailing = '\(away)' AND state = 'stopped'") == ["5000"]
        }
        try await eventually("a provider that nobody needs is no trouble") {
            try await get("http://127.0.0.1:\(watched)/readyz").contains("\"ready\":true,\"checks\"")
        }
        try await fleet.endAll()
        #expect(try fleet.sink.arrived().count == 2000)
    }

    /// That an order takes effect within a second is measured by `loadtest/`, where processes get their turns. Here it takes effect.
    @Test func pauseResumeSpeedAndStopReachTheWholeFleet() async throws {
        let fleet = try await Fleet(6000, extra: "batch_size: 100\nspeed: 200/s\n")
        try fleet.start("collector", "worker-1", "worker-2", "planner")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 200 }
        /// The start of each message, in seconds.
        func starts() throws -> [Double] { try fleet.sink.lines().compactMap { Double($0[0]).map { $0 / 1e6 } } }
        /// Messages that started in the last seconds, but not in the very last: the record is written a little later.
        func recent(_ seconds: Double) throws -> Int {
            let end = Date().timeIntervalSince1970 - 1
            return try starts().count { (end - seconds...end).contains($0) }
        }

        #expect(try await fleet.run("mailing", "pause", fleet.id).status == 0)
        try await eventually("what was begun is told, and no more begins") {
            try fleet.mailing.count("sent") == fleet.sink.lines().count && recent(2) == 0
        }
        let before = try starts().count

        #expect(try await fleet.run("mailing", "resume", fleet.id).status == 0)
        try await eventually("it goes on") { try starts().count > before + 100 }

        #expect(try await fleet.run("mailing", "speed", fleet.id, "50/s").status == 0)
        // A machine that is busy with other tests misses moments; nobody may start between them.
        try await eventually("it goes on slowly") { (10...120).contains(try recent(2)) }

        #expect(try await fleet.run("mailing", "stop", fleet.id).status == 0)
        try await eventually("nobody is left open") {
            try fleet.mailing.count("sent") + fleet.mailing.count("stopped") == 6000
        }
        try await fleet.endAll()
        let arrived = try fleet.sink.arrived()
        #expect(Set(arrived).count == arrived.count && arrived.count < 6000)
        #expect(try fleet.mailing.count("sent") == arrived.count)
    }

    @Test func twoWorkersShareALimit() async throws {
        let sink = try await RunningSink()
        let redis = try await RedisServer()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(1000), extra: "speed: 250/s\nbatch_size: 50\n")
        let fleet = ["FLOTILLA_REDIS_URL": "unix://\(redis.socket)", "FLOTILLA_LEDGER_PATH": mailing.ledger]
        _ = try await Program.run(["mailing", "add", mailing.mailing], environment: fleet)
        let others = [try RunningProgram(["collector"], environment: fleet), try RunningProgram(["planner"], environment: fleet)]
        let begin = Date().timeIntervalSince1970
        let roles = others + [try RunningProgram(["worker"], environment: fleet), try RunningProgram(["worker"], environment: fleet)]
        try await eventually("all is sent") { try mailing.count("sent") == 1000 }
        for role in roles { role.signal(SIGTERM) }
        for role in roles { #expect(try await role.end() == 0, "\(role.errors)") }
        try await sink.stop()
        let starts = try sink.lines().compactMap { Double($0[0]).map { $0 / 1e6 } }.sorted()
        #expect(starts.count == 1000)
        // A machine that stands still lets messages start late, never early: of those from `begin` on there is at most one for each 4 ms.
        // `loadtest/throttle` judges every window.
        for (index, start) in starts.enumerated() { #expect(Double(index) <= (start - begin) * 250 + 2) }
    }
}

/// The body of a response, whatever its status.
func get(_ url: String) async throws -> String {
    let folder = try TemporaryFolder()
    let curl = try ServerProcess("curl", ["-s", "-m", "5", url], package: "curl", output: folder.path("body"))
    _ = curl.wait()
    return (try? String(contentsOfFile: folder.path("body"), encoding: .utf8)) ?? ""
}
