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
        #expect(try Heartbeat.Share(wire: share.wire) == share)
    }

    @Test(arguments: [
        "", "[]", "{}", "[1,2,3,0,\"\"]", "[-1,0,0,0,\"\",\"\"]", "[1,9007199254740993,0,0,\"\",\"\"]", "[1,0,0,2,\"\",\"\"]",
        "[1,0,0,0,\"\",7]",
    ])
    func whatIsNoShareIsRefused(wire: String) {
        #expect(throws: WireError.self) { try Heartbeat.Share(wire: Array(wire.utf8)) }
    }

    @Test func numbersBeyondTheWireFormAreBounded() throws {
        let share = Heartbeat.Share(waiting: 1, interval: 1e200, pause: -.infinity)
        let read = try Heartbeat.Share(wire: share.wire)
        #expect(read.interval == Double(WireLimit.time.upperBound) / 1e9 && read.pause == 0)
    }

    @Test func aTextThatNamesNoScopeIsNone() throws {
        #expect(try scope("provider:main") == .provider("main"))
        for text in ["", "planet:earth", "channel:fax", "provider:"] { #expect(try scope(text) == nil, "\(text)") }
    }
}
