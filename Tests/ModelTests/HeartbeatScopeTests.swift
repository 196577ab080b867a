import Foundation
import Model
import Testing

/// The scope of a heartbeat travels as its text, and older and newer processes read one another's.
struct HeartbeatScopeTests {
    private func scope(_ text: String) throws -> LimitScope? {
        try JSONDecoder().decode(Heartbeat.Share.self, from: Data(#"{"waiting":3,"scope":"\#(text)"}"#.utf8)).scope
    }

    @Test(arguments: [LimitScope.provider("main"), .channel(.sms), .mailing("m"), .domain("gmail.com"), nil])
    func whatIsWrittenIsRead(scope: LimitScope?) throws {
        let share = Heartbeat.Share(waiting: 1, scope: scope)
        #expect(try JSONDecoder().decode(Heartbeat.Share.self, from: JSONEncoder().encode(share)) == share)
    }

    @Test func aTextThatNamesNoScopeIsNone() throws {
        #expect(try scope("provider:main") == .provider("main"))
        for text in ["", "planet:earth", "channel:fax", "provider:"] { #expect(try scope(text) == nil, "\(text)") }
    }
}
