import Foundation
import Logging
import Model
import NIOPosix
import TestServers
import Testing
import Text

@testable import Broker

/// A client with a short backoff, for servers that are away.
func client(_ endpoint: RedisEndpoint, timeout: Duration = .seconds(5), logger: Logger = quiet) -> RedisClient {
    var endpoint = endpoint
    endpoint.timeout = timeout
    return RedisClient(endpoint: endpoint, name: "test", group: .singletonMultiThreadedEventLoopGroup, logger: logger)
}

let quiet: Logger = {
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    return logger
}()

@Suite(.timeLimit(.minutes(5)))
struct RedisClientTests {
    @Test func repliesOfEveryTypeAreRead() async throws {
        let server = try await RedisServer()
        let redis = client(RedisEndpoint(place: .unix(path: server.socket)))
        let script = "return {1, 'two', false, {3, {}}, redis.status_reply('FINE')}"
        let reply = try await redis.send(["EVAL", .text(script), "0"])
        #expect(
            reply
                == .array([
                    .integer(1), .string(Array("two".utf8)), .null, .array([.integer(3), .array([])]),
                    .string(Array("FINE".utf8)),
                ]))
        await #expect(throws: RedisError.command("ERR unknown command 'NOPE', with args beginning with: ")) {
            try await redis.send(["NOPE"])
        }
        await redis.close()
    }

    @Test func bytesGoThroughUnchanged() async throws {
        let server = try await RedisServer()
        let redis = client(RedisEndpoint(place: .unix(path: server.socket)))
        for value in [[], [0], Array(0...255), [UInt8](repeating: 13, count: 300_000)] as [[UInt8]] {
            _ = try await redis.send(["SET", "value", .bytes(value)])
            #expect(try await redis.send(["GET", "value"]).bytes == value)
        }
        await redis.close()
    }

    @Test func concurrentCallersGetTheirOwnReplies() async throws {
        let server = try await RedisServer()
        let redis = client(RedisEndpoint(place: .unix(path: server.socket)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<100 {
                group.addTask {
                    for turn in 0..<20 {
                        let word = "\(caller)-\(turn)"
                        let echo = try await redis.send(["ECHO", .text(word)])
                        #expect(echo.text == word)
                    }
                }
            }
            try await group.waitForAll()
        }
        await redis.close()
    }

    @Test func aServerThatWasDemotedIsLeftAndAskedForAgain() async throws {
        let server = try await RedisServer()
        let redis = client(RedisEndpoint(place: .unix(path: server.socket)), timeout: .seconds(20))
        let first = try await redis.send(["CLIENT", "ID"]).int
        // Its master is not there; what it has it still tells.
        _ = try server.cli("REPLICAOF", "127.0.0.1", "1")
        await #expect(throws: RedisError.self) { try await redis.send(["SET", "a", "1"]) }
        func connections() throws -> Int {
            let stats = try server.cli("INFO", "stats").split(whereSeparator: \.isNewline)
            return stats.first { $0.hasPrefix("total_connections_received:") }.flatMap { Int($0.split(separator: ":")[1]) } ?? 0
        }
        let before = try connections()
        async let waiting = redis.send(["SET", "a", "2"])
        // Each question is a connection itself.
        var asked = 0
        try await eventually("it has tried again") {
            asked += 1
            return try connections() > before + asked
        }
        _ = try server.cli("REPLICAOF", "NO", "ONE")
        #expect(try await waiting.text == "OK")
        #expect(try await redis.send(["CLIENT", "ID"]).int != first)
        await redis.close()
    }

    @Test(arguments: [
        ("READONLY You can't write against a read only replica.", true),
        ("ERR Error running script (call to f_1): @user_script:5: -READONLY You can't write against a read only replica.", true),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", true),
        ("LOADING Redis is loading the dataset in memory", true), ("NOREPLICAS Not enough good replicas to write.", true),
        ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", true),
        ("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", true),
        ("UNBLOCKED the stream key no longer exists", false), ("NOGROUP No such key", false), ("ERR wrong READONLY", false),
        ("OOM command not allowed when used memory > 'maxmemory'.", false),
    ])
    func whatAServerThatCannotServeSaysIsKnown(reply: String, isUnfit: Bool) {
        #expect(UnfitServer.speaks(in: reply) == isUnfit)
        #expect(!isUnfit || RedisError.command(reply).isPassing)
    }

    @Test(arguments: [
        ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", true),
        ("OOM command not allowed when used memory > 'maxmemory'.", true),
        ("ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed when used memory > 'maxmemory'.", true),
        ("ERR max number of clients reached", true), ("BUSYGROUP Consumer Group name already exists", false),
        ("NOAUTH Authentication required.", false),
    ])
    func whatAServerThatHasTooMuchToDoSaysIsPassing(reply: String, isPassing: Bool) {
        #expect(RedisError.command(reply).isPassing == isPassing)
    }

    @Test func aServerThatASlowScriptKeepsBusyIsWaitedFor() async throws {
        let server = try await RedisServer(["--busy-reply-threshold", "10"])
        let (endpoint, log) = (RedisEndpoint(place: .unix(path: server.socket)), KeptLog())
        let (slow, redis) = (client(endpoint), client(endpoint, timeout: .seconds(150), logger: log.logger(.warning)))
        let script = Task { try await slow.send(["EVAL", "while true do end", "0"]) }
        try await eventually("it is busy") { try server.cli("PING").contains("BUSY") }
        async let waiting = redis.send(["PING"])
        // A server that is busy answers no question that would tell of the client's tries: the client says when the first has failed.
        try await eventually("the client was refused once") { !log.lines.isEmpty }
        #expect(try server.cli("SCRIPT", "KILL").contains("OK"))
        #expect(try await waiting.text == "PONG")
        await #expect(throws: RedisError.self) { try await script.value }
        await slow.close()
        await redis.close()
    }

    @Test(arguments: [
        (
            "ERR user_script:58: attempt to compare nil with number script: 5a3f09, on @user_script:58.",
            "attempt to compare nil with number"
        ),
        ("ERR Error running script (call to f_1): @user_script:5: user_script:5: bad argument #1", "(bad argument #1)"),
    ])
    func aScriptThatFailsIsToldInWords(reply: String, part: String) {
        let text = "\(RedisError.command(reply))"
        #expect(text.contains(part) && !text.contains("user_script"), "\(text)")
    }

    @Test func aRedisThatEvictsKeysIsKnownByItsPolicy() async throws {
        let server = try await RedisServer()
        let broker = TestFleet.broker(server)
        #expect(try await broker.evictionPolicy() == nil)
        _ = try server.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        #expect(try await broker.evictionPolicy() == "allkeys-lru")
        #expect("\(RedisError.evicts(policy: "allkeys-lru"))".contains("maxmemory-policy noeviction"))
    }

    @Test func aPasswordIsGivenAndAMissingOneIsNamed() async throws {
        let port = try freePort()
        let server = try await RedisServer(["--requirepass", "sesam"], port: port)
        var endpoint = RedisEndpoint(try RedisURL("redis://:sesam@127.0.0.1:\(port)/3"))
        let redis = client(endpoint)
        #expect(try await redis.send(["PING"]).text == "PONG")
        await redis.close()

        endpoint.password = Secret("wrong-secret")
        let wrong = client(endpoint)
        await #expect {
            try await wrong.send(["PING"])
        } throws: { error in
            "\(error)".contains("FLOTILLA_REDIS_PASSWORD") && !"\(error)".contains("wrong-secret")
        }
        endpoint.password = nil
        let missing = client(endpoint)
        await #expect {
            try await missing.send(["PING"])
        } throws: { error in
            "\(error)".contains("refuses us: NOAUTH")
        }
        await wrong.close()
        await missing.close()
        server.stop()
    }

    @Test func aServerThatIsNotThereIsNamed() async throws {
        let port = try freePort()
        let redis = client(RedisEndpoint(try RedisURL("redis://127.0.0.1:\(port)")), timeout: .milliseconds(500))
        await #expect {
            try await redis.send(["PING"])
        } throws: { error in
            "\(error)".contains("redis://127.0.0.1:\(port)/0 cannot be reached")
        }
        await redis.close()
    }

    @Test func aServerThatComesBackIsFoundAgain() async throws {
        let server = try await RedisServer()
        let redis = client(RedisEndpoint(place: .unix(path: server.socket)), timeout: .seconds(2))
        try await eventually("it answers") { (try? await redis.send(["PING"]))?.text == "PONG" }
        server.stop()
        await #expect(throws: RedisError.self) { try await redis.send(["PING"]) }
        try await server.start()
        try await eventually("it answers again") { (try? await redis.send(["PING"]))?.text == "PONG" }
        await redis.close()
    }

    @Test func aFrozenServerIsGivenUp() async throws {
        let server = try await RedisServer()
        let redis = client(RedisEndpoint(place: .unix(path: server.socket)), timeout: .milliseconds(300))
        try await eventually("it answers") { (try? await redis.send(["PING"]))?.text == "PONG" }
        server.signal(SIGSTOP)
        await #expect {
            try await redis.send(["PING"])
        } throws: { error in
            guard case RedisError.lost(_, "no reply in time") = error else { return false }
            return true
        }
        server.signal(SIGCONT)
        try await eventually("it answers again") { (try? await redis.send(["PING"]))?.text == "PONG" }
        await redis.close()
    }

    @Test func tlsIsSpokenAndAnUnknownAuthorityRefused() async throws {
        let folder = try TemporaryFolder()
        let made = try ServerProcess(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder.path("key.pem"), "-out", folder.path("cert.pem"),
            ],
            package: "openssl")
        #expect(made.wait() == 0)
        let port = try freePort()
        let server = try await RedisServer([
            "--tls-port", "\(port)", "--tls-cert-file", folder.path("cert.pem"), "--tls-key-file", folder.path("key.pem"),
            "--tls-auth-clients", "no",
        ])
        var endpoint = RedisEndpoint(try RedisURL("rediss://localhost:\(port)"))
        endpoint.caFile = folder.path("cert.pem")
        let redis = client(endpoint)
        #expect(try await redis.send(["PING"]).text == "PONG")
        await redis.close()

        endpoint.caFile = nil
        let untrusting = client(endpoint, timeout: .seconds(1))
        await #expect(throws: RedisError.self) { try await untrusting.send(["PING"]) }
        await untrusting.close()
        server.stop()
    }

    @Test(arguments: [
        ("redis://db.example.com", "redis://db.example.com:6379/0"),
        ("rediss://u:p%25@[::1]:7000/2", "rediss://[::1]:7000/2"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ])
    func urlsAreRead(url: String, place: String) throws {
        #expect(RedisEndpoint(try RedisURL(url)).description == place)
    }
}
