import Model
import TestServers
import Testing

@testable import Transport

@Suite struct HTTPTLSTests {
    private func provider(_ nginx: Nginx, change: (inout Provider) -> Void = { _ in }) -> Provider {
        httpProvider(nginx.port) {
            $0.scheme = .https
            $0.host = "localhost"
            $0.caFile = "\(nginx.folder.path)/tls.pem"
            change(&$0)
        }
    }

    @Test func deliversOverHTTP2OnConnectionsThatAreKept() async throws {
        let nginx = try await Nginx(tls: true)
        let transport = httpTransport(provider(nginx) { $0.messageID = "messages.0.id" })
        _ = try await transport.prepare()
        let responses = await transport.deliver(httpGroup(300)) { true }
        #expect(responses.map { $0?.messageID } == (0..<300).map { "id-0123456789abc/0/\($0)" })
        await transport.close()
        let requests = try await nginx.requests(300)
        #expect(requests.count == 300)
        #expect(requests.allSatisfy { $0.version == "HTTP/2.0" })
        #expect(Set(requests.map(\.connection)).count <= 8)
    }

    @Test func aConnectionThatTheProviderWindsUpLosesNothingAndRepeatsNothing() async throws {
        let nginx = try await Nginx(tls: true, settings: "keepalive_requests 20;")
        let transport = httpTransport(provider(nginx))
        let responses = await transport.deliver(httpGroup(1000)) { true }
        await transport.close()
        let accepted = responses.count { $0?.action == .accept }
        let requests = try await nginx.requests(accepted)
        #expect(Set(requests.map(\.key)).count == requests.count, "none arrives twice")
        #expect(accepted == 1000, "\(responses.first { $0?.action != .accept } as Any)")
    }

    @Test func anUnknownCertificateIsRefusedBeforeAnythingIsSent() async throws {
        let nginx = try await Nginx(tls: true)
        for change in [{ $0.caFile = nil }, { $0.host = "127.0.0.1" }] as [(inout Provider) -> Void] {
            let transport = httpTransport(provider(nginx, change: change))
            let error = await #expect(throws: TransportError.self) { try await transport.prepare() }
            #expect(error?.action == .pauseMailing && error?.stage == .tls, "\(String(describing: error))")
            #expect(error?.description.contains("is not trusted") == true || error?.description.contains("another name") == true)
            let responses = await transport.deliver(httpGroup(3)) { true }
            #expect(responses.allSatisfy { $0?.action == .pauseMailing && $0?.stage == .tls }, "\(responses)")
            await transport.close()
        }
        #expect(nginx.folder.text("access.log") == "")
    }

    @Test func aMissingCAFileIsNamed() async throws {
        let nginx = try await Nginx(tls: true)
        let transport = httpTransport(provider(nginx) { $0.caFile = "/nowhere/ca.pem" })
        let error = await #expect(throws: TransportError.self) { try await transport.prepare() }
        #expect(error?.action == .pauseMailing && error?.stage == .tls)
        #expect(error?.description.contains("/nowhere/ca.pem") == true, "\(String(describing: error))")
        await transport.close()
    }

    @Test func aPortWithoutTLSIsTold() async throws {
        let server = try await HTTPScriptedServer.shared
        let transport = httpTransport(
            httpProvider(server.port) {
                $0.scheme = .https
                $0.connectTimeout = .seconds(1)
            })
        let error = await #expect(throws: TransportError.self) { try await transport.prepare() }
        #expect(error?.action == .reconnect && error?.stage == .tls, "\(String(describing: error))")
        await transport.close()
    }

    @Test func aHandshakeThatIsNotAnsweredIsGivenUp() async throws {
        let mute = try SilentServer()
        let transport = httpTransport(
            httpProvider(mute.port) {
                $0.scheme = .https
                $0.connectTimeout = .milliseconds(300)
            })
        let responses = await transport.deliver(httpGroup(1)) { true }
        #expect(responses.first??.action == .reconnect && responses.first??.stage == .tls, "\(responses)")
        #expect(responses.first??.text == "127.0.0.1:\(mute.port): no TLS session within 0.3 s")
        await transport.close()
    }
}
