import Ledger
import Model
import TestServers
import Testing

@Suite struct LimitConformanceTests {
    @Test(arguments: Engine.all) func aLimitIsSetReplacedAndTakenBack(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        #expect(try await ledger.limits().isEmpty)
        #expect(try await ledger.setLimit(.provider("main"), "5/s", now: 7) == nil)
        #expect(try await ledger.setLimit(.channel(.email), "none", now: 8) == nil)
        let first = LimitOverride(scope: .known(.provider("main")), text: "5/s", changed: 7)
        #expect(try await ledger.setLimit(.provider("main"), "9/s", now: 9) == first)
        let email = LimitOverride(scope: .known(.channel(.email)), text: "none", changed: 8)
        let main = LimitOverride(scope: .known(.provider("main")), text: "9/s", changed: 9)
        #expect(try await ledger.limits() == [email, main])
        // Another process sees them.
        #expect(try await engine.open(folder).limits() == [email, main])
        #expect(try await ledger.setLimit(.channel(.email), nil, now: 10) == email)
        #expect(try await ledger.setLimit(.channel(.email), nil, now: 11) == nil)
        #expect(try await ledger.limits() == [main])
    }
}
