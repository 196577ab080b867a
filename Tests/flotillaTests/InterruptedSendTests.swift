import Foundation
import TestServers
import Testing

/// `send` that is stopped, killed, or loses its private Redis, and is started again.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct InterruptedSendTests {
    private func start(_ mailing: MailingFolder, _ environment: [String: String] = [:]) throws -> RunningProgram {
        try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger], environment: environment)
    }

    private func listed(_ mailing: MailingFolder) throws -> Set<String> {
        Set(try mailing.query("SELECT address FROM uncertain_delivery"))
    }

    /// What the private Redis of a run keeps on the disk.
    private func hasFile(_ mailing: MailingFolder) -> Bool { FileManager.default.fileExists(atPath: mailing.ledger + ".redis") }

    /// Batches that no worker had begun lay in a private Redis that ended.
    @Test(arguments: [SIGTERM, SIGINT, SIGHUP]) func aStopLeavesNobodyUncertain(number: Int32) async throws {
        let sink = try await RunningSink("smtp", ["--latency", "5ms"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(2000), extra: "batch_size: 100\nuncertain: hold\nspeed: 400/s\n")
        for _ in 1...2 {
            let before = try sink.lines().count
            let running = try start(mailing)
            try await eventually("some have arrived: \(running.errors)") { try sink.lines().count > before + 200 }
            running.signal(number)
            #expect(try await running.end() == 2, "\(running.errors)")
            #expect(try mailing.count("sent") == sink.arrived().count)
            #expect(try mailing.query("SELECT count(*) FROM progress WHERE dispatched > 0") == ["0"])
            #expect(!hasFile(mailing))
        }
        #expect(try await mailing.send().status == 0)
        try await sink.stop()
        #expect(try listed(mailing).isEmpty)
        #expect(try sink.arrived().count == 2000 && Set(sink.arrived()).count == 2000)
    }

    /// Service managers send SIGHUP behind SIGTERM, and wrappers forward what the terminal has sent already.
    @Test func signalsThatComeTogetherAreOneStop() async throws {
        let sink = try await RunningSink("smtp", ["--latency", "50ms"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(2000), extra: "batch_size: 100\nuncertain: hold\nspeed: 400/s\n")
        let running = try start(mailing)
        try await eventually("some have arrived: \(running.errors)") { try sink.lines().count > 50 }
        for signal in [SIGTERM, SIGHUP, SIGINT] { running.signal(signal) }
        #expect(try await running.end() == 2, "\(running.errors)")
        #expect(try mailing.count("sent") == sink.arrived().count && listed(mailing).isEmpty)
    }

    /// Whoever copies a ledger that nobody uses copies one file.
    @Test func aLedgerThatNobodyUsesIsOneWholeFile() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(20))
        for command in [["mailing", "add", mailing.mailing], ["send", mailing.mailing], ["mailing", "list"]] {
            #expect(try await Program.run(command + ["--ledger", mailing.ledger]).status == 0)
            let copy = mailing.ledger + ".copy"
            try? FileManager.default.removeItem(atPath: copy)
            try FileManager.default.copyItem(atPath: mailing.ledger, toPath: copy)
            let list = try await Program.run(["mailing", "list", "--ledger", copy])
            #expect(list.output.contains("Test"), "\(command): \(list)")
        }
        #expect(!FileManager.default.fileExists(atPath: mailing.ledger + "-wal"))
    }

    /// nohup(1) has the end of the terminal ignored.
    @Test func whoIgnoresTheEndOfTheTerminalGoesOn() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(200), extra: "speed: 100/s\nbatch_size: 20\n")
        let running = try RunningProgram(
            shell: "trap '' HUP; exec '\(Program.path)' send '\(mailing.mailing)' --ledger '\(mailing.ledger)'")
        try await eventually("some have arrived") { try sink.lines().count > 20 }
        running.signal(SIGHUP)
        #expect(try await running.end() == 0, "\(running.errors)")
        #expect(try sink.arrived().count == 200)
    }

    @Test func aStopBeforeTheStartLeavesWorkAndSaysSo() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(20), extra: "start: 2099-01-01T00:00:00Z\n")
        let running = try start(mailing)
        try await eventually("it waits: \(running.errors)") { running.errors.contains("starts in") }
        running.signal(SIGTERM)
        #expect(try await running.end() == 2, "\(running.errors)")
    }

    /// Its Redis is killed with it, and has its file still: only those are uncertain whose messages were in flight.
    @Test func afterAKillFewAreUncertainAndNobodyGetsTwoUnlisted() async throws {
        let sink = try await RunningSink("smtp", ["--latency", "10ms"])
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(4000))
        for _ in 1...2 {
            let before = try sink.lines().count
            let running = try start(mailing)
            try await eventually("some have arrived: \(running.errors)", within: 30) { try sink.lines().count > before + 700 }
            running.signal(SIGKILL)
            _ = try await running.end()
            #expect(hasFile(mailing))
        }
        let last = try await mailing.send()
        #expect(last.status == 0, "\(last.errors)")
        try await sink.stop()
        let arrived = Dictionary(grouping: try sink.arrived()) { $0 }
        let listed = try listed(mailing)
        let doubled = Set(arrived.filter { $1.count > 1 }.keys)
        #expect(arrived.count == 4000)
        #expect(doubled.isSubset(of: listed))
        // Twenty connections, each with a group of 40 ms and a half. Whole batches, of 500, would be thousands.
        #expect((1...700).contains(listed.count), "\(listed.count)")
        #expect(!hasFile(mailing))
    }

    /// The kernel takes it when memory is short, or somebody kills all that is named so.
    @Test func aPrivateRedisThatEndsIsStartedAgain() async throws {
        let sink = try await RunningSink("smtp", ["--latency", "5ms"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(2000), extra: "speed: 400/s\nbatch_size: 100\nuncertain: hold\n")
        let folder = try TemporaryFolder()
        let running = try start(mailing, ["TMPDIR": folder.url.path])
        try await eventually("some have arrived: \(running.errors)") { try sink.lines().count > 300 }
        let socket = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.url.path).first { $0.hasPrefix("flotilla-redis-") })
        let server = try await Program.redis(["INFO", "server"], socket: folder.path("\(socket)/redis.sock"))
        let pid = try #require(server.firstMatch(of: /process_id:(\d+)/).flatMap { pid_t($0.output.1) })
        kill(pid, SIGKILL)
        #expect(try await running.end() == 0, "\(running.errors)")
        #expect(running.errors.contains("the private Redis has ended (signal 9)"))
        #expect(running.errors.contains("the private Redis is back"))
        try await sink.stop()
        #expect(try listed(mailing).isEmpty)
        #expect(try sink.arrived().count == 2000 && Set(sink.arrived()).count == 2000)
        // No socket and no file is left.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
        #expect(!hasFile(mailing))
    }

    /// Whoever removes a ledger seldom knows of the folder beside it.
    @Test func anotherLedgerDoesNotBelieveTheFileOfTheOneBefore() async throws {
        let sink = try await RunningSink("smtp", ["--latency", "5ms"])
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(1000), extra: "speed: 200/s\nbatch_size: 100\nuncertain: hold\n")
        let killed = try start(mailing)
        try await eventually("some have arrived: \(killed.errors)") { try sink.lines().count > 50 }
        killed.signal(SIGKILL)
        _ = try await killed.end()
        #expect(hasFile(mailing))
        for suffix in ["", "-wal", "-shm", ".commits"] { try? FileManager.default.removeItem(atPath: mailing.ledger + suffix) }
        let before = try sink.lines().count
        let running = try start(mailing)
        try await eventually("others have arrived: \(running.errors)") { try sink.lines().count > before + 50 }
        running.signal(SIGTERM)
        #expect(try await running.end() == 2, "\(running.errors)")
        #expect(running.errors.contains("held the work of another ledger"))
        #expect(!running.errors.contains(" ERROR ") && !running.errors.contains("redis.prefix"), "\(running.errors)")
    }

    @Test func emptyFoldersOfDeadProcessesGo() async throws {
        let sink = try await RunningSink()
        let folder = try TemporaryFolder()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3))
        for (name, age) in [("flotilla-redis-dead", 3600.0), ("flotilla-redis-new", 0), ("flotilla-redis-used", 3600), ("other", 3600)] {
            let path = folder.path(name)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            if name.hasSuffix("used") { _ = FileManager.default.createFile(atPath: path + "/x", contents: nil) }
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
        }
        #expect(try await mailing.send(environment: ["TMPDIR": folder.url.path]).status == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
                == ["flotilla-redis-new", "flotilla-redis-used", "other"])
    }

    @Test func aTemporaryFolderThatCannotBeUsedStopsNothing() async throws {
        let sink = try await RunningSink()
        let folder = try TemporaryFolder()
        let long = folder.path(String(repeating: "d", count: 90))
        try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: true)
        for (path, why) in [(folder.path("missing"), "No such file or directory"), (long, "is too long"), ("/proc", "cannot be used")] {
            let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(10))
            let outcome = try await mailing.send(environment: ["TMPDIR": path])
            #expect(outcome.status == 0 && outcome.errors.contains(why), "\(outcome.errors)")
        }
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(10))
        _ = FileManager.default.createFile(atPath: mailing.ledger + ".redis", contents: nil)
        let outcome = try await mailing.send()
        #expect(outcome.status != 0 && outcome.errors.contains("is there and is no folder of ours"), "\(outcome.errors)")
    }

    @Test(arguments: ["1>&-", "2>&-", "0<&- 1>&- 2>&-", "| true"])
    func standardStreamsThatAreClosedStopNothing(streams: String) async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(50))
        let running = try RunningProgram(
            shell: "set -o pipefail; '\(Program.path)' send '\(mailing.mailing)' --ledger '\(mailing.ledger)' \(streams)")
        #expect(try await running.end() == 0, "\(running.errors)")
        try await sink.stop()
        #expect(try sink.arrived().count == 50)
        #expect(try mailing.count("sent") == 50)
        // What was printed did not go into a file that had got the stream's number.
        let lock = try String(contentsOfFile: mailing.ledger + ".lock", encoding: .utf8)
        #expect(lock.allSatisfy { $0.isNumber || $0.isNewline })
    }
}
