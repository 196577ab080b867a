import Foundation
import Logging
import Model
import NIOPosix
import TestServers
import Testing
import Text

@testable import Broker

/// A client with a short backoff, for servers that are away.
func client(_ endpoint: RedisEndpoint, timeout: Double = 5) -> RedisClient {
    var endpoint = endpoint
    endpoint.timeout = timeout
    return RedisClient(endpoint: endpoint, name: "test", group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
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
        let redis = client(RedisEndpoint(try RedisURL("redis://127.0.0.1:\(port)")), timeout: 0.5)
        await #expect {
            try await redis.send(["PING"])
        } throws: { error in
            "\(error)".contains("redis://127.0.0.1:\(port)/0 cannot be reached")
        }
        await redis.close()
    }

    @Test func aServerThatComesBackIsFoundAgain() async throws {
        let server = try await RedisServer()
        let redis = client(RedisEndpoint(place: .unix(path: server.socket)), timeout: 2)
        try await eventually("it answers") { (try? await redis.send(["PING"]))?.text == "PONG" }
        server.stop()
        await #expect(throws: RedisError.self) { try await redis.send(["PING"]) }
        try await server.start()
        try await eventually("it answers again") { (try? await redis.send(["PING"]))?.text == "PONG" }
        await redis.close()
    }

    @Test func aFrozenServerIsGivenUp() async throws {
        let server = try await RedisServer()
        let redis = client(RedisEndpoint(place: .unix(path: server.socket)), timeout: 0.3)
        try await eventually("it answers") { (try? await redis.send(["PING"]))?.text == "PONG" }
        server.signal(SIGSTOP)
        await #expect {
            try await redis.send(["PING"])
        } throws: { error in
            guard case RedisError.lost(_, "no answer in time") = error else { return false }
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
        let untrusting = client(endpoint, timeout: 1)
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
