import Logging
import Model
import Policy
import TestServers
import Testing
import Text

@testable import Transport

@Suite struct HTTPFailureTests {
    /// The response to one message from a server that does what `path` says.
    private func response(
        _ path: String, change: (inout Provider) -> Void = { _ in }
    ) async throws -> ProviderResponse {
        let server = try await HTTPScriptedServer.shared
        let transport = httpTransport(httpProvider(server.port, path: path, change: change))
        let responses = await transport.deliver(httpGroup(1)) { true }
        await transport.close()
        return try #require(responses.first ?? nil)
    }

    @Test func aRefusalHasItsStatusAndReason() async throws {
        let response = try await response(#"/status?code=422&body={"error":{"message":"number%20is\nbad"}}"#)
        #expect(
            response
                == ProviderResponse(.content, .fail, about: .unclear, stage: .response, code: 422, text: "number is bad"))
    }

    @Test func tooManyRequestsSayHowLongToWait() async throws {
        let response = try await response("/status?code=429&wait=7&body=slow%20down")
        #expect(response == ProviderResponse(action: .slowDown, stage: .response, code: 429, text: "slow down", retryAfter: 7))
    }

    @Test func unavailableIsThrottledOnlyWithAWait() async throws {
        let dated = try await response("/status?code=503&date=30")
        #expect(dated.action == .slowDown)
        #expect((1...31).contains(dated.retryAfter ?? 0))
        let plain = try await response("/status?code=503")
        #expect(plain.action == .retry && plain.retryAfter == nil)
    }

    @Test(arguments: [(500, true), (502, true), (503, true), (504, true), (501, false), (408, false), (422, false)])
    func onlyAFailureOfItsOwnIsTheProvidersFault(_ status: Int, _ isFault: Bool) async throws {
        #expect(try await response("/status?code=\(status)").isProviderFault == isFault)
    }

    @Test func anOperatorsRuleDecidesAboutAStatus() async throws {
        let server = try await HTTPScriptedServer.shared
        let rule = ResponseRule(
            .http, ResponseRule.Condition(codes: 500...500, texts: [TextPattern("daily*quota")].compactMap { $0 }), .rate, "known",
            origin: "answers.yaml:1"
        )
        let transport = HTTPTransport(
            provider: httpProvider(server.port, path: "/status?code=500&body=Daily%20SMS%20quota"),
            responses: ResponseTable(own: [rule]), logger: Logger(label: "test"))
        let responses = await transport.deliver(httpGroup(1)) { true }
        await transport.close()
        #expect(responses.first??.action == .slowDown && responses.first??.isProviderFault == false)
    }

    /// In the body of a page, behind a title; and behind what is usually shown of an answer.
    @Test(arguments: ["<html><title>Gateway</title><p>ERROR%2014</p>", #"{"message":"queued","status":"ERROR%2014"}"#])
    func anErrorAnywhereInABodyOf200IsFound(_ body: String) async throws {
        let server = try await HTTPScriptedServer.shared
        let rule = ResponseRule(
            .http, ResponseRule.Condition(codes: 200...200, texts: [TextPattern("ERROR 14")].compactMap { $0 }), .policy, "known",
            origin: "answers.yaml:1")
        let transport = HTTPTransport(
            provider: httpProvider(server.port, path: "/status?code=200&body=\(body)"),
            responses: ResponseTable(own: [rule]), logger: Logger(label: "test"))
        let responses = await transport.deliver(httpGroup(1)) { true }
        await transport.close()
        let response = try #require(responses.first ?? nil)
        #expect(response.reason == .policy && ["Gateway", "queued"].contains(response.text), "\(response)")
    }

    @Test func aByteOrderMarkHidesNoJSON() {
        let body: [UInt8] = [0xef, 0xbb, 0xbf] + Array(#"{"error":"bad"}"#.utf8)
        #expect(JSONPath("error").text(in: HTTPErrorText.withoutMark(body)) == "bad")
    }

    @Test func redirectsAreNotFollowed() async throws {
        let response = try await response("/status?code=307&location=/status?code=200")
        #expect(response.action == .pauseMailing && response.code == 307)
    }

    @Test(arguments: ["/close", "/reset", "/head", "/interim", "/garbage"])
    func aLostResponseMayHaveArrived(_ path: String) async throws {
        let response = try await response(path)
        #expect(response.action == .reconnect && response.stage == .response && response.code == 0, "\(response)")
        #expect(response.text.hasSuffix("it may have arrived"))
    }

    @Test func aResponseThatTakesTooLongIsGivenUp() async throws {
        _ = try await HTTPScriptedServer.shared
        let start = ContinuousClock.now
        let response = try await response("/silent") { $0.timeout = .milliseconds(200) }
        #expect(response.action == .reconnect && response.stage == .response && response.code == 0)
        #expect(response.text == "no response within 0.2 s; it may have arrived")
        #expect(ContinuousClock.now - start >= .milliseconds(200))
    }

    @Test func otherMessagesGoOnBesideOneThatIsStuck() async throws {
        let server = try await HTTPScriptedServer()
        let transport = httpTransport(
            httpProvider(server.port, path: "/hold") {
                $0.connections = 4
                $0.timeout = .seconds(2)
            })
        let responses = await transport.deliver(httpGroup(4)) { true }
        #expect(responses.allSatisfy { $0?.action == .reconnect })
        server.release()
        let later = await transport.deliver(httpGroup(10)) { true }
        #expect(later.allSatisfy { $0?.action == .accept })
        await transport.close()
    }

    @Test func aStatusDecidesThoughTheRestIsLost() async throws {
        let taken = try await response("/cut?code=200")
        #expect(taken.action == .accept && taken.code == 200)
        let refused = try await response("/cut?code=500")
        #expect(refused.action == .retry && refused.text == "half")
        let stuck = try await response("/stuck") { $0.timeout = .seconds(2) }
        #expect(stuck.action == .accept && stuck.code == 200)
    }

    @Test func aHugeResponseIsCutOff() async throws {
        let taken = try await response("/huge?code=200") { $0.messageID = "id" }
        #expect(taken == ProviderResponse(action: .accept, stage: .response, code: 200, text: ""))
        let refused = try await response("/huge?code=400")
        #expect(refused.action == .fail && refused.text == String(repeating: "x", count: 500))
    }

    @Test func aRequestIsNeverSentAgainByItself() async throws {
        let server = try await HTTPScriptedServer()
        let transport = httpTransport(httpProvider(server.port, path: "/second") { $0.connections = 1 })
        let responses = await transport.deliver(httpGroup(4)) { true }
        #expect(responses.map { $0?.action } == [.accept, .reconnect, .accept, .reconnect])
        #expect(responses[1]?.stage == .response && responses[1]?.missed == .connectionEnded)
        await transport.close()
        var keys: Set<String> = []
        for _ in 0..<4 { keys.insert(try await server.nextRequest().key) }
        #expect(keys.count == 4)
    }

    @Test func aRefusedConnectionSendsNothing() async throws {
        let port = try freePort()
        let transport = httpTransport(httpProvider(port))
        let responses = await transport.deliver(httpGroup(20)) { true }
        #expect(
            responses.allSatisfy {
                $0
                    == ProviderResponse(
                        action: .reconnect, stage: .connect, code: 0,
                        text: "127.0.0.1:\(port): cannot connect: Connection refused")
            })
        let error = await #expect(throws: TransportError.self) { try await transport.prepare() }
        #expect(error?.action == .reconnect && error?.stage == .connect)
        #expect(error?.description.contains("Connection refused; check its host and port") == true)
        await transport.close()
    }

    @Test func anUnknownHostSendsNothing() async throws {
        let transport = httpTransport(httpProvider(80) { $0.host = "nowhere.invalid" })
        let responses = await transport.deliver(httpGroup(2)) { true }
        #expect(responses.allSatisfy { $0?.action == .reconnect && $0?.stage == .connect })
        #expect(responses.first??.text.hasPrefix("nowhere.invalid:80: ") == true)
        await transport.close()
    }

    @Test func aConnectionThatIsNotMadeInTimeIsGivenUp() async throws {
        let full = try SilentServer(backlog: 0)
        // The one place in the queue of the listener is taken; further requests for a connection are not answered.
        #expect(canConnect(full.port))
        let transport = httpTransport(httpProvider(full.port) { $0.connectTimeout = .milliseconds(300) })
        let responses = await transport.deliver(httpGroup(2)) { true }
        #expect(responses.allSatisfy { $0?.action == .reconnect && $0?.stage == .connect }, "\(responses)")
        #expect(responses.first??.text == "127.0.0.1:\(full.port): no connection within 0.3 s")
        await transport.close()
    }

    @Test(arguments: [
        (["X\r\nY": "1"], "'X Y' is no header name"), (["X": "a\nb"], "the header 'X' has a control character"),
        (["Content-Length": "5"], "the header 'Content-Length' is Flotilla's own"),
    ])
    func headersThatCannotBeSentAreRefused(_ headers: [String: String], _ reason: String) async throws {
        let provider = httpProvider(80) { $0.headers = headers.mapValues { Secret($0) } }
        let transport = httpTransport(provider)
        let error = await #expect(throws: TransportError.self) { try await transport.prepare() }
        #expect(error?.action == .pauseMailing)
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        let responses = await transport.deliver(httpGroup(2)) { true }
        #expect(responses.allSatisfy { $0?.action == .pauseMailing })
        await transport.close()
    }

    @Test func noTextShowsASecret() async throws {
        for scheme in [Provider.Scheme.http, .https] {
            for path in ["/close?token=s3cret", "/garbage?token=s3cret", "/status?code=500&token=s3cret"] {
                let response = try await response(path) {
                    $0.scheme = scheme
                    $0.username = "user-s3cret"
                    $0.password = Secret("s3cret")
                    $0.headers = ["X-Key": Secret("s3cret")]
                }
                #expect(!response.text.contains("s3cret"))
            }
        }
    }
}
