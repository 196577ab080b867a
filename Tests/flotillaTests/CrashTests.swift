import Foundation
import TestServers
import Testing

/// Nobody lost, nobody twice but by name: what a fleet owes its users when its parts end, freeze, or forget.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CrashTests {
    /// Small groups: a worker takes few batches at a time, so that each has some.
    private static let shared = ["FLOTILLA_WORKER_GROUP": "5"]
    /// A worker that a busy machine lets wait keeps its lease: where nobody may be uncertain.
    private static let patient = ["FLOTILLA_WORKER_LEASE": "20s"]

    @Test(arguments: ["redeliver", "hold"])
    func aKilledWorkersBatchesAreTakenOverAndItsMessagesInFlightAreListed(policy: String) async throws {
        let fleet = try await Fleet(
            2000, sink: ["--latency", "150ms"], extra: "batch_size: 50\nuncertain: \(policy)\n", environment: Self.shared)
        try fleet.start("collector", "worker-1", "worker-2", "planner")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 100 }
        try await fleet.kill("worker-1")
        if policy == "hold" {
            try await eventually("all others are sent") {
                try fleet.mailing.count("sent") + fleet.mailing.count("uncertain") == 2000
            }
            let held = try fleet.mailing.count("uncertain")
            // 20 connections with a group of 5 each, and results of the last moments, which last longer on a busy machine.
            #expect(held > 0 && held <= 20 * 5 + 500)
            #expect(try fleet.doubled().isEmpty)
            let shown = try await fleet.run("mailing", "uncertain", fleet.id)
            #expect(shown.status == 0 && shown.output.contains("worker"), "\(shown)")
            let resent = try await fleet.run("mailing", "uncertain", fleet.id, "--resend", "--all")
            #expect(resent.status == 0, "\(resent)")
        }
        try await fleet.state("sent")
        #expect(fleet.errors("worker-2").contains("is taken over from worker"))
        try await fleet.endAll()
        #expect(Set(try fleet.sink.arrived()).count == 2000)
        let listed = try fleet.listed()
        let doubled = try fleet.doubled()
        #expect(!listed.isEmpty && listed.isSuperset(of: doubled))
        let report = try await fleet.run("mailing", "report", fleet.id)
        #expect(report.status == 0, "\(report)")
    }

    @Test func aFrozenWorkerThatWakesSendsNothingMore() async throws {
        let fleet = try await Fleet(1500, sink: ["--latency", "150ms"], environment: Self.shared)
        try fleet.start("collector", "worker-1", "worker-2", "planner")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 100 }
        fleet.signal("worker-1", SIGSTOP)
        try await fleet.state("sent")
        // What was in flight on each connection arrived; nothing else may.
        let before = try fleet.sink.arrived()
        fleet.signal("worker-1", SIGCONT)
        try await eventually("it finds its lease over") { fleet.errors("worker-1").contains("the lease of this worker had expired") }
        try await fleet.endAll()
        #expect(try fleet.sink.arrived() == before)
        #expect(Set(before).count == 1500)
        let doubled = try fleet.doubled()
        #expect(try fleet.listed().isSuperset(of: doubled))
    }

    @Test func aRollingRestartMakesNobodyUncertain() async throws {
        let fleet = try await Fleet(3000, sink: ["--latency", "10ms"], extra: "speed: 60/s\n", environment: Self.patient)
        let names = ["collector-1", "collector-2", "worker-1", "worker-2", "planner-1", "planner-2"]
        for name in names { try fleet.start(name) }
        try await eventually("some have arrived") { try fleet.sink.lines().count > 100 }
        for name in names {
            #expect(try await fleet.end(name) == 0, "\(name): \(fleet.errors(name))")
            try fleet.start(name)
        }
        #expect(try fleet.sink.lines().count < 3000)
        try await fleet.speed("1500/s")
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(try fleet.sink.arrived().count == 3000)
        #expect(Set(try fleet.sink.arrived()).count == 3000)
        #expect(try fleet.listed().isEmpty)
        #expect(try fleet.mailing.query("SELECT max(unicode(substr(attempts, 1, 1)) - 48) FROM progress") == ["1"])
    }

    @Test(arguments: ["emptied", "started again"])
    func aRedisThatForgetsLosesNobody(how: String) async throws {
        let fleet = try await Fleet(2000, sink: ["--latency", "10ms"], extra: "speed: 100/s\n", environment: Self.patient)
        try fleet.start("collector-1", "collector-2", "worker-1", "worker-2", "planner")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 200 }
        if how == "emptied" {
            _ = try fleet.redis.cli("FLUSHALL")
        } else {
            fleet.redis.stop()
            try await fleet.redis.start()
        }
        #expect(try fleet.sink.lines().count < 2000)
        try await fleet.speed("1000/s")
        try await fleet.state("sent")
        try await fleet.endAll()
        // Every worker lived to tell what it had sent: nobody is in doubt, and nobody gets it twice.
        #expect(try fleet.sink.arrived().count == 2000, "\(fleet.logs)")
        #expect(Set(try fleet.sink.arrived()).count == 2000)
        #expect(try fleet.listed().isEmpty)
        #expect(fleet.errors("planner").contains("No recipient is uncertain"))
    }

    @Test func whatARedisAndAWorkerTookWithThemIsNamed() async throws {
        let fleet = try await Fleet(1000, sink: ["--latency", "10ms"], extra: "speed: 50/s\n")
        try fleet.start("collector", "worker-1", "worker-2", "planner")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 60 }
        // The collector stands still, so that results are in Redis alone when it goes.
        try await fleet.freeze("collector")
        let count = try fleet.sink.lines().count
        try await eventually("more have arrived") { try fleet.sink.lines().count > count + 30 }
        try await fleet.kill("worker-1")
        fleet.redis.stop()
        try await fleet.redis.start()
        fleet.signal("collector", SIGCONT)
        try await fleet.speed("500/s")
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(Set(try fleet.sink.arrived()).count == 1000)
        let doubled = try fleet.doubled()
        #expect(try fleet.listed().isSuperset(of: doubled))
        #expect(fleet.errors("planner").contains("did not come back"))
    }

    @Test func whatWorkersThatHaveEndedLeftInALostRedisIsNamed() async throws {
        let fleet = try await Fleet(
            1000, sink: ["--latency", "10ms"], extra: "speed: 50/s\n", environment: ["FLOTILLA_SHUTDOWN_GRACE": "1s"])
        try fleet.start("collector", "worker-1", "planner-1")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 60 }
        try await fleet.freeze("collector")
        let count = try fleet.sink.lines().count
        try await eventually("more have arrived") { try fleet.sink.lines().count > count + 30 }
        #expect(try await fleet.end("worker-1") == 0)
        #expect(fleet.errors("worker-1").contains("ending before its last results are in the ledger"))
        // Nobody who knew that worker is left when its results go.
        #expect(try await fleet.end("planner-1") == 0)
        try fleet.start("planner-2")
        try await eventually("the second works") { fleet.errors("planner-2").contains("planning and dispatching") }
        _ = try fleet.redis.cli("FLUSHALL")
        fleet.signal("collector", SIGCONT)
        try await fleet.speed("500/s")
        try fleet.start("worker-2")
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(Set(try fleet.sink.arrived()).count == 1000)
        let doubled = try fleet.doubled()
        #expect(!doubled.isEmpty)
        #expect(try fleet.listed().isSuperset(of: doubled))
    }

    @Test func aBatchThatEndsItsWorkersIsSetAsideAndTheMailingGoesOn() async throws {
        // Person 0 is never answered: each worker that tries is killed with the message in flight.
        let fleet = try await Fleet(
            40, sink: [], extra: "batch_size: 20\n", local: { $0 == 0 ? "stall9" : "person\($0)" },
            environment: ["FLOTILLA_WORKER_MAX_DELIVERIES": "2"])
        try fleet.start("collector", "planner")
        for round in 1...2 {
            try fleet.start("worker-\(round)")
            try await eventually("it is tried") {
                try fleet.sink.lines().count { $0[3].hasPrefix("stall") } >= round
            }
            try await fleet.kill("worker-\(round)")
        }
        try fleet.start("worker-3")
        try await eventually("all others are sent") {
            try fleet.mailing.count("sent") + fleet.mailing.count("uncertain") == 40
        }
        #expect(fleet.errors("worker-3").contains("is quarantined: 2 workers ended with it"))
        #expect(try fleet.listed().contains("stall9@example.com"))
        #expect(try fleet.mailing.query("SELECT state FROM delivery WHERE address = 'stall9@example.com'") == ["uncertain"])
        let settled = try await fleet.run("mailing", "uncertain", fleet.id, "--settle", "failed", "--all")
        #expect(settled.status == 0, "\(settled)")
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(try fleet.sink.lines().count { $0[3].hasPrefix("stall") } == 2)
    }

    @Test(arguments: [SIGKILL, SIGSTOP])
    func anotherPlannerTakesOver(signal: Int32) async throws {
        let fleet = try await Fleet(1500, sink: ["--latency", "10ms"], environment: Self.patient)
        try fleet.start("collector", "worker", "planner-1")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 100 }
        try fleet.start("planner-2")
        try await eventually("the second stands by") { fleet.errors("planner-2").contains("standing by: ") }
        if signal == SIGSTOP { try await fleet.freeze("planner-1") } else { fleet.signal("planner-1", signal) }
        try await eventually("the second works") { fleet.errors("planner-2").contains("planning and dispatching") }
        if signal == SIGSTOP {
            fleet.signal("planner-1", SIGCONT)
            try await eventually("the first stands back") { fleet.errors("planner-1").contains("another planner leads now") }
        }
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(try fleet.sink.arrived().count == 1500)
        #expect(Set(try fleet.sink.arrived()).count == 1500)
        #expect(try fleet.listed().isEmpty)
    }

    @Test func rolesThatStartWithoutRedisWaitForItAndEndWhenAsked() async throws {
        let fleet = try await Fleet(200)
        fleet.redis.stop()
        try fleet.start("collector", "worker", "planner", "worker-2")
        for name in ["collector", "worker", "planner", "worker-2"] {
            try await eventually("\(name) says what it waits for") {
                fleet.errors(name).contains("waiting for Redis") || fleet.errors(name).contains("cannot be reached")
            }
        }
        #expect(try await fleet.end("worker-2") == 0)
        try await fleet.redis.start()
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(try fleet.sink.arrived().count == 200)
    }

    @Test func aKilledCollectorsResultsAreTakenByAnother() async throws {
        let fleet = try await Fleet(2000, sink: ["--latency", "10ms"], environment: Self.patient)
        try fleet.start("collector-1", "collector-2", "worker", "planner")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 100 }
        try await fleet.kill("collector-1")
        try await fleet.freeze("collector-2")
        try await eventually("more have arrived") { try fleet.sink.lines().count > 500 }
        fleet.signal("collector-2", SIGCONT)
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(try fleet.sink.arrived().count == 2000)
        #expect(try fleet.listed().isEmpty)
    }

    @Test(arguments: [1, 2])
    func aStopDoesNotWaitForAProviderThatNeverResponses(signals: Int) async throws {
        let fleet = try await Fleet(
            40, sink: [], extra: "batch_size: 20\n", local: { $0 == 0 ? "stall1" : "person\($0)" },
            environment: ["FLOTILLA_SHUTDOWN_GRACE": signals == 1 ? "2s" : "60s"])
        try fleet.start("collector", "planner", "worker-1")
        try await eventually("it hangs") { try fleet.sink.lines().contains { $0[3].hasPrefix("stall") } }
        let start = ContinuousClock.now
        fleet.signal("worker-1", SIGTERM)
        if signals == 2 {
            // Two signals in one moment are one to the kernel: it is asked again until it has ended.
            try await eventually("it ends") {
                fleet.signal("worker-1", SIGTERM)
                return fleet.roles["worker-1"]?.process.isRunning == false
            }
        }
        #expect(try await fleet.roles["worker-1"]?.end() == 0, "\(fleet.errors("worker-1"))")
        #expect(ContinuousClock.now - start < .seconds(50))
        try await eventually("the message is named") { try fleet.listed() == ["stall1@example.com"] }
        // No attempt is spent on it, and the next worker sends it.
        #expect(try fleet.mailing.query("SELECT attempts FROM delivery WHERE address = 'stall1@example.com'") == ["0"])
        try fleet.start("worker-2")
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(Set(try fleet.sink.arrived()).count == 40)
    }

    @Test func aSendThatIsKilledGoesOnAndNamesWhoMayHaveGotItTwice() async throws {
        let sink = try await RunningSink("smtp", ["--latency", "5ms"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(1000), extra: "batch_size: 100\nspeed: 200/s\n")
        let first = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
        try await eventually("some have arrived") { try sink.lines().count > 100 }
        first.signal(SIGKILL)
        _ = try await first.end()
        let second = try await mailing.send()
        #expect(second.status == 0, "\(second.errors)")
        try await sink.stop()
        let arrived = try sink.arrived()
        #expect(Set(arrived).count == 1000)
        let doubled = Set(Dictionary(grouping: arrived) { $0 }.filter { $0.value.count > 1 }.keys)
        let listed = Set(
            try mailing.query(
                "SELECT d.address FROM uncertain u JOIN delivery d ON d.mailing = u.mailing AND d.batch = u.batch AND d.idx = u.idx"))
        #expect(listed.isSuperset(of: doubled))
    }
}
