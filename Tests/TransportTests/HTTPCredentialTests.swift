import Model
import Testing
import Text

@testable import Transport

/// Credentials go in clear to this machine alone, and whether a server is on it is decided by its address.
@Suite struct HTTPCredentialTests {
    private static let changes: [String: @Sendable (inout Provider) -> Void] = [
        "user and password": { ($0.username, $0.password) = ("user", Secret("word")) },
        "a bearer token": { $0.headers["Authorization"] = Secret("Bearer abc") },
        "an API key": { $0.headers["X-Api-Key"] = Secret("abc") },
        "a token": { $0.headers["X-Postmark-Server-Token"] = Secret("abc") },
    ]

    @Test(arguments: changes.keys.sorted())
    func credentialsDoNotGoInClearToAnotherMachine(_ name: String) async throws {
        let server = try await HTTPScriptedServer.shared
        let change = try #require(Self.changes[name])
        // An address of another kind than loopback's, which leads here all the same.
        let far = httpTransport(
            httpProvider(server.port, path: "/status?code=200") {
                $0.host = "::ffff:127.0.0.1"
                change(&$0)
            })
        let error = await #expect(throws: TransportError.self) { try await far.prepare() }
        #expect(error?.action == .pauseMailing && error?.description.contains("not encrypted") == true, "\(String(describing: error))")
        #expect(error?.description.contains("https://") == true && error?.description.contains("word") == false)
        let responses = await far.deliver(httpGroup(3)) { true }
        #expect(responses.allSatisfy { $0?.action == .pauseMailing && $0?.stage == .auth }, "\(responses)")
        await far.close()
        let near = httpTransport(httpProvider(server.port, path: "/status?code=200", change: change))
        #expect(await near.deliver(httpGroup(1)) { true }.first??.action == .accept)
        await near.close()
    }

    @Test func withoutCredentialsAnythingGoes() async throws {
        let server = try await HTTPScriptedServer.shared
        let transport = httpTransport(
            httpProvider(server.port, path: "/status?code=200") {
                $0.host = "::ffff:127.0.0.1"
                $0.headers["X-Client"] = Secret("flotilla")
            })
        #expect(await transport.deliver(httpGroup(1)) { true }.first??.action == .accept)
        await transport.close()
    }
}
