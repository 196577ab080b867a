import CommandSupport
import Foundation
import TestServers
import Testing

/// What libraries throw is told in words.
@Suite struct PlainErrorTests {
    @Test func theSystemsErrorsAreTheirWords() {
        let bad = NSError(domain: NSPOSIXErrorDomain, code: Int(EBADF))
        #expect("\(PlainError.of(bad))" == "Bad file descriptor")
        let file = NSError(domain: NSCocoaErrorDomain, code: 4, userInfo: [NSFilePathErrorKey: "/x", NSUnderlyingErrorKey: bad])
        #expect("\(PlainError.of(file))" == "/x: Bad file descriptor")
        #expect(throws: (any Error).self) { try FileManager.default.removeItem(atPath: "/nowhere/at/all") }
        do { try FileManager.default.removeItem(atPath: "/nowhere/at/all") } catch {
            #expect(!"\(PlainError.of(error))".contains("Domain") && "\(PlainError.of(error))".contains("/nowhere/at/all"))
        }
    }

    @Test func aMetricsPortThatIsTakenEndsARoleWithOneLine() async throws {
        let (taken, folder) = (try SilentServer(), try TemporaryFolder())
        let ended = try await Program.run(
            ["up", "--ledger", folder.path("ledger.sqlite")],
            environment: ["FLOTILLA_METRICS_LISTEN": "127.0.0.1:\(taken.port)", "FLOTILLA_LOG_LEVEL": "error"])
        let lines = ended.errors.split(separator: "\n").filter { !$0.contains("was removed again") }
        #expect(ended.status == 1 && lines.count == 1, "\(ended)")
        #expect(lines.first?.hasPrefix("error: cannot serve metrics on 127.0.0.1:\(taken.port): ") == true, "\(ended)")
    }

    @Test func ourOwnStayAsTheyAre() {
        struct Ours: Error {}
        #expect(PlainError.of(Ours()) is Ours)
    }
}
