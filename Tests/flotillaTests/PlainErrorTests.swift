import CommandSupport
import Foundation
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

    @Test func ourOwnStayAsTheyAre() {
        struct Ours: Error {}
        #expect(PlainError.of(Ours()) is Ours)
    }
}
