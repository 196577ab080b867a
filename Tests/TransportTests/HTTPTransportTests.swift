import Logging
import Model
import Synchronization
import TestServers
import Testing
import Text

@testable import Transport

/// A group of messages to `count` recipients; the bodies are `{"n":<number>}` unless `body` says otherwise.
func httpGroup(_ count: Int, from first: Int = 0, body: (Int) -> String = { "{\"n\":\($0)}" }) -> MessageGroup {
    var group = MessageGroup(sender: "")
    for number in first..<first + count {
        let start = group.bytes.count
        group.bytes.append(contentsOf: body(number).utf8)
        group.messages.append(
            MessageGroup.Message(
                recipient: "r\(number)", body: start..<group.bytes.count, key: "0123456789abc/0/\(number)"))
    }
    return group
}

func httpProvider(_ port: Int, path: String = "/", change: (inout Provider) -> Void = { _ in }) -> Provider {
    var provider = Provider(name: "test", scheme: .http, host: "127.0.0.1", port: port, path: path).with {
        $0.connections = 8
        $0.connectTimeout = .seconds(5)
        $0.timeout = .seconds(10)
    }
    change(&provider)
    return provider
}

func httpTransport(_ provider: Provider) -> HTTPTransport {
    HTTPTransport(provider: provider, logger: Logger(label: "test"))
}

@Suite struct HTTPTransportTests {
    @Test func deliversEachMessageOnceWithItsKeyAndBody() async throws {
        let nginx = try await Nginx()
        let transport = httpTransport(httpProvider(nginx.port) { $0.messageID = "messages.0.id" })
        try #expect(await transport.prepare().maximumSize == nil)
        let responses = await withTaskGroup(of: [ProviderResponse?].self) { tasks in
            for part in 0..<5 {
                tasks.addTask { await transport.deliver(httpGroup(200, from: part * 200)) { true } }
            }
            return await tasks.reduce(into: []) { $0 += $1 }
        }
        await transport.close()
        #expect(responses.count == 1000)
        #expect(responses.allSatisfy { $0?.action == .accept && $0?.code == 200 && $0?.stage == .response })
        #expect(Set(responses.compactMap(\.?.messageID)).count == 1000)
        let requests = try await nginx.requests(1000)
        #expect(requests.count == 1000)
        #expect(
            requests.allSatisfy { request in
                request.method == "POST" && request.key == "0123456789abc/0/" + request.body.filter(\.isNumber)
            })
        #expect(Set(requests.map(\.key)).count == 1000)
        #expect(Set(requests.map(\.connection)).count <= 8, "connections are kept")
    }

    @Test func answersStandInTheOrderOfTheMessages() async throws {
        let nginx = try await Nginx()
        let transport = httpTransport(httpProvider(nginx.port) { $0.messageID = "messages.0.id" })
        let responses = await transport.deliver(httpGroup(100)) { true }
        #expect(responses.map { $0?.messageID } == (0..<100).map { "id-0123456789abc/0/\($0)" })
        await transport.close()
    }

    @Test func sendsTheProvidersHeadersAndCredentials() async throws {
        let nginx = try await Nginx()
        let transport = httpTransport(
            httpProvider(nginx.port, path: "/v1/send it?to=ä") {
                $0.headers = ["X-Api-Key": Secret("s3cret")]
                $0.username = "shop"
                $0.password = Secret("pa:ss")
                $0.contentType = "text/plain; charset=utf-8"
            })
        _ = await transport.deliver(httpGroup(1)) { true }
        await transport.close()
        let request = try #require(try await nginx.requests(1).first)
        #expect(request.uri == "/v1/send%20it?to=%C3%A4")
        #expect(request.apiKey == "s3cret")
        #expect(request.authorization == "Basic c2hvcDpwYTpzcw==")
        #expect(request.type == "text/plain; charset=utf-8")
        #expect(request.agent.hasPrefix("flotilla/"))
    }

    @Test func sendsLongKeysAndBodiesOfAnySizeWithoutWaiting() async throws {
        let nginx = try await Nginx()
        let transport = httpTransport(httpProvider(nginx.port))
        var group = httpGroup(3) { ["", "short", String(repeating: "x", count: 3_000_000)][$0] }
        group.messages[1].key = String(repeating: "k", count: 1000) + "\r\nX-Evil: 1"
        let responses = await transport.deliver(group) { true }
        #expect(responses.allSatisfy { $0?.action == .accept })
        await transport.close()
        let requests = try await nginx.requests(3).sorted { Int($0.length) ?? 0 < Int($1.length) ?? 0 }
        #expect(requests.map(\.length) == ["0", "5", "3000000"])
        // A client that asks for 100 Continue waits a second for it (RFC 9110, section 10.1.1).
        #expect(requests.allSatisfy { $0.expect.isEmpty })
        #expect(requests[1].key == String(repeating: "k", count: 1000) + "__X-Evil:_1")
    }

    @Test func usesAConnectionAgainAndOpensANewOneWhenTheProviderClosesIt() async throws {
        let nginx = try await Nginx(settings: "keepalive_requests 10;")
        let transport = httpTransport(httpProvider(nginx.port) { $0.connections = 1 })
        for part in 0..<5 {
            let responses = await transport.deliver(httpGroup(5, from: part * 5)) { true }
            #expect(responses.allSatisfy { $0?.action == .accept })
        }
        await transport.close()
        let requests = try await nginx.requests(25)
        #expect(Set(requests.map(\.connection)).count == 3)
    }

    @Test func anIdleConnectionThatTheProviderClosedIsReplaced() async throws {
        let nginx = try await Nginx(settings: "keepalive_timeout 50ms;")
        let transport = httpTransport(httpProvider(nginx.port))
        for part in 0..<3 {
            let responses = await transport.deliver(httpGroup(8, from: part * 8)) { true }
            #expect(responses.allSatisfy { $0?.action == .accept }, "\(responses)")
            try await eventually("nginx has closed its idle connections") { try nginx.establishedConnections == 0 }
        }
        await transport.close()
        #expect(try await nginx.requests(24).count == 24)
    }

    @Test func beginsNoMoreOnceMayBeginSaysNo() async throws {
        let nginx = try await Nginx()
        let transport = httpTransport(httpProvider(nginx.port) { $0.connections = 2 })
        let asked = Mutex(0)
        let responses = await transport.deliver(httpGroup(50)) {
            asked.withLock { asked in
                asked += 1
                return asked <= 7
            }
        }
        #expect(responses.map { $0 != nil } == (0..<50).map { $0 < 7 })
        #expect(asked.withLock { $0 } == 8, "asked once a message, and not again after a no")
        let next = await transport.deliver(httpGroup(3, from: 50)) { true }
        #expect(next.allSatisfy { $0?.action == .accept })
        await transport.close()
        #expect(try await nginx.requests(10).count == 10)
    }

    @Test func aCancelledTaskWaitsForWhatIsOnItsWayAndLeavesTheRest() async throws {
        let server = try await HTTPScriptedServer()
        let transport = httpTransport(httpProvider(server.port, path: "/hold") { $0.connections = 2 })
        let delivery = Task { await transport.deliver(httpGroup(10)) { true } }
        for _ in 0..<2 { _ = try await server.nextRequest() }
        delivery.cancel()
        server.release()
        let responses = await delivery.value
        #expect(responses.map { $0?.action } == [.accept, .accept] + Array(repeating: nil, count: 8))
        await transport.close()
    }

    @Test func closeWaitsForWhatIsOnItsWayAndLeavesTheRest() async throws {
        let server = try await HTTPScriptedServer()
        let transport = httpTransport(httpProvider(server.port, path: "/hold") { $0.connections = 2 })
        async let delivery = transport.deliver(httpGroup(10)) { true }
        for _ in 0..<2 { _ = try await server.nextRequest() }
        async let closing: Void = transport.close()
        // The close is known when a group that comes later is not begun.
        let late = await transport.deliver(httpGroup(1)) { true }
        #expect(late == [nil] || late.first??.action == .accept)
        server.release()
        let responses = await delivery
        await closing
        #expect(responses.prefix(2).allSatisfy { $0?.action == .accept })
        await transport.close()
        #expect(await transport.deliver(httpGroup(2)) { true } == [nil, nil])
        await #expect(throws: TransportError.self) { try await transport.prepare() }
    }

    @Test func anEmptyGroupHasNoResponses() async throws {
        let transport = httpTransport(httpProvider(try freePort()))
        #expect(await transport.deliver(httpGroup(0)) { true } == [])
        await transport.close()
    }
}
