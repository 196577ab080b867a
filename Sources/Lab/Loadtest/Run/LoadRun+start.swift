import Broker
import Foundation
import Model
import Policy
import Settings
import Sink
import Text
import Yams

extension LoadRun {
    // MARK: Redis

    /// Starts a Redis of its own, or reaches the given one.
    func startRedis() async throws {
        let endpoint: RedisEndpoint
        switch scenario.redis {
        case .own:
            let member = FleetProcess(.redis, name: "redis", number: members.count, port: 0)
            members.append(member)
            try await spawnRedis(member)
            endpoint = RedisEndpoint(place: .unix(path: folder.redisSocket), timeout: .seconds(1))
        case .given(let url):
            do {
                endpoint = RedisEndpoint(try RedisURL(url))
            } catch {
                throw RunFailure("redis \(error)")
            }
        }
        let client = RedisClient(endpoint: endpoint, name: "flotilla-loadtest", group: group, logger: Self.silence)
        do {
            _ = try await client.send(["PING"])
        } catch {
            await client.close()
            throw RunFailure("\(error)")
        }
        redis = client
    }

    /// At its socket, empty.
    func spawnRedis(_ member: FleetProcess) async throws {
        guard let server = ProgramPath.find("redis-server") else {
            throw RunFailure(
                "no redis-server is found in PATH: install it (apt-get install redis-server), "
                    + "or name a running Redis: redis: redis://host:port")
        }
        // sun_path of unix(7), with its end.
        guard folder.redisSocket.utf8.count < 108 else {
            throw RunFailure("\(folder.redisSocket) is too long for a socket: set TMPDIR to a folder with a shorter path")
        }
        guard !folder.redisSocket.contains(where: { $0.isWhitespace || "?#%".contains($0) }) else {
            throw RunFailure(
                "\(folder.redisSocket) cannot stand in a URL: set TMPDIR to a folder whose path has no spaces and none of ? # %")
        }
        try? FileManager.default.removeItem(atPath: folder.redisSocket)
        let process = try ChildProcess(
            server,
            [
                "--port", "0", "--unixsocket", folder.redisSocket, "--unixsocketperm", "700", "--dir", folder.path,
                "--save", "", "--appendonly", "no", "--loglevel", "warning",
            ], environment: environment, output: "/dev/null", errors: folder.log("redis"), processGuard: processGuard)
        member.begin(process)
        let deadline = ContinuousClock.now + .seconds(10)
        while !FileManager.default.fileExists(atPath: folder.redisSocket) {
            guard process.isRunning, ContinuousClock.now < deadline else {
                throw RunFailure("redis-server did not start: \(folder.lastWords("redis"))")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Removes what the run left in a Redis that is not its own.
    func leaveRedis() async {
        guard case .given = scenario.redis, let redis else { return }
        do {
            var cursor = "0"
            repeat {
                let reply = try await redis.send(["SCAN", .text(cursor), "MATCH", .text("*\(prefix)*"), "COUNT", "1000"])
                guard let parts = reply.array, parts.count == 2, let next = parts[0].text else { break }
                let keys = (parts[1].array ?? []).compactMap(\.bytes)
                if !keys.isEmpty { _ = try await redis.send(["UNLINK"] + keys.map { .bytes($0) }) }
                cursor = next
            } while cursor != "0"
        } catch {
            notes.append("keys that contain \(prefix) may be left in Redis: \(error)")
        }
    }

    // MARK: Sinks

    func startSink(_ plan: Scenario.SinkPlan) async throws {
        _ = try folder.write(plan.yaml, to: "sinks/\(plan.name).yaml")
        try? FileManager.default.removeItem(atPath: folder.record(plan.name))
        let member = FleetProcess(.sink, name: plan.name, number: members.count, port: 0)
        // A port that nobody else takes while a sink that was killed is down.
        sinkPorts[plan.name] = try FreePort.take()
        members.append(member)
        tails.append(RecordTail(path: folder.record(plan.name), sink: plan.name))
        try await spawnSink(member, plan)
    }

    /// At the same port each time.
    func spawnSink(_ member: FleetProcess, _ plan: Scenario.SinkPlan) async throws {
        let output = "\(folder.path)/sinks/\(plan.name).url"
        try? FileManager.default.removeItem(atPath: output)
        let process = try ChildProcess(
            options.laboratory,
            [
                "sink", "--\(plan.profile.proto.rawValue)", "127.0.0.1:\(sinkPorts[plan.name] ?? 0)",
                "--record", folder.record(plan.name), "--profile", "\(folder.path)/sinks/\(plan.name).yaml",
                "--seed", "\(scenario.seed)",
            ] + (scenario.kills(sink: plan.name) ? ["--sync"] : []), environment: environment, output: output,
            errors: folder.log(plan.name), processGuard: processGuard)
        member.begin(process)
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            if let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first {
                sinkPorts[plan.name] = line.split(separator: ":").last.flatMap { Int($0) } ?? 0
                return
            }
            guard process.isRunning, ContinuousClock.now < deadline else {
                throw RunFailure("the sink \(plan.name) did not start: \(folder.lastWords(plan.name))")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    // MARK: Files

    func writeConfiguration() throws {
        var node = try YAMLDocument.compose(scenario.fleet.yaml) ?? [:]
        switch scenario.redis {
        case .own: node.set(["redis", "url"], "unix://\(folder.redisSocket)")
        case .given(let url): node.set(["redis", "url"], url)
        }
        node.set(["redis", "prefix"], prefix)
        node.set(["ledger", "path"], folder.ledger)
        for plan in scenario.sinks {
            let scheme = plan.profile.proto == .smtp ? "smtp" : "http"
            node.set(["providers", plan.name, "url"], "\(scheme)://127.0.0.1:\(sinkPorts[plan.name] ?? 0)")
        }
        _ = try folder.write(YAMLText.of(node), to: "flotilla.yaml")
    }

    func makeRecipients() async throws {
        for (index, plan) in scenario.mailings.enumerated() {
            let file = "\(folder.path)/recipients/\(plan.name).csv"
            _ = try await command(
                [
                    "generate", "recipients", "\(plan.recipients)", "--seed", "\(scenario.seed &+ UInt64(index))",
                    "--channel", plan.channel == .sms ? "sms" : "email", "--invalid", "0", "--duplicates", "0",
                    "--missing", "0", "--out", file,
                ] + plan.domains.flatMap { ["--domain", "\($0.domain)=\($0.share)"] }, of: options.laboratory)
            for copy in 1...plan.copies {
                let name = plan.name(ofCopy: copy)
                _ = try folder.write(
                    MailingContent.yaml(plan, name: name, recipients: file), to: "mailings/\(name).yaml")
            }
        }
    }

    // MARK: Roles

    /// Starts a new one of a kind.
    @discardableResult
    func startRole(_ kind: ProcessKind) throws -> String {
        let count = members.count { $0.kind == kind }
        let member = FleetProcess(kind, name: "\(kind.rawValue)-\(count + 1)", number: members.count, port: try FreePort.take())
        members.append(member)
        try spawnRole(member)
        return member.name
    }

    func spawnRole(_ member: FleetProcess) throws {
        var variables = environment
        variables["FLOTILLA_METRICS_LISTEN"] = "127.0.0.1:\(member.port)"
        let process = try ChildProcess(
            options.executable, [member.kind.rawValue, "--config", folder.configuration], environment: variables,
            output: "/dev/null", errors: folder.log(member.name), processGuard: processGuard)
        member.begin(process)
    }

    /// Waits until a role serves its metrics.
    func waitForPage(_ name: String) async throws {
        guard let member = members.first(where: { $0.name == name }) else { return }
        let deadline = ContinuousClock.now + .seconds(30)
        while await pages.get("/healthz", port: member.port) == nil {
            guard member.isRunning else {
                throw RunFailure("\(name) did not start: \(folder.lastWords(name))\nIts log: \(folder.log(name))")
            }
            guard ContinuousClock.now < deadline else {
                throw RunFailure("\(name) serves no metrics on 127.0.0.1:\(member.port) after 30 s: \(folder.lastWords(name))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Runs `flotilla`, or another of our programs, to its end.
    /// - Returns: what it printed.
    func command(_ words: [String], of program: String? = nil) async throws -> String {
        let program = program ?? options.executable
        let output = "\(folder.path)/command.out"
        let errors = folder.log("command")
        try? FileManager.default.removeItem(atPath: errors)
        let process = try ChildProcess(
            program, words, environment: environment, output: output, errors: errors, processGuard: processGuard)
        do {
            while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        } catch {
            process.signal(SIGKILL)
            _ = await process.end(within: 10)
            throw error
        }
        guard process.ended == 0 else {
            throw RunFailure("\(program) \(words.joined(separator: " ")) failed: \(folder.lastWords("command", lines: 10))")
        }
        return String(((try? String(contentsOfFile: output, encoding: .utf8)) ?? "").trimmed)
    }

    /// The environment of this process, without variables that would change the fleet's settings.
    var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FLOTILLA_") }
    }
}

extension Scenario {
    /// A sink that is killed has to write its record before it answers, or the verdict would miss its last messages.
    func kills(sink name: String) -> Bool {
        script.contains { $0.action == .kill && $0.target == .sink(name) }
    }
}

extension Scenario.MailingPlan {
    /// Its name, numbered where there are several.
    func name(ofCopy copy: Int) -> String { copies == 1 ? name : "\(name)-\(copy)" }
}

/// Programs of the machine.
enum ProgramPath {
    /// The path of a program in PATH, or where a system has its own.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin"])
            .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
