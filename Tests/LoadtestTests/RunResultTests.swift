import Foundation
import Testing

@testable import Loadtest

@Suite struct RunResultTests {
    @Test func itComesBackFromItsJSONAsItWas() throws {
        var result = MadeUpRun.result(name: MadeUpRun.hostile)
        result.panels[1].lines[0].points[3].value = nil
        #expect(try RunResult(json: result.json()) == result)
    }

    @Test func theKeysAreInSnakeCaseAndAPointIsAPair() throws {
        var result = MadeUpRun.result()
        result.panels[1].lines[0].points = [.init(at: 1.5, value: 2), .init(at: 2.5, value: nil)]
        let text = String(decoding: try result.json(), as: UTF8.self)
        for part in [
            #""per_second":"#, #""cpu_per_message_microseconds":"#, #""peak_memory_bytes":"#, #""is_stacked":true"#,
            #""points":[[1.5,2],[2.5,null]]"#, #""memory_bytes":25276502016"#,
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test(arguments: [Double.nan, .infinity]) func aValueThatJSONCannotHoldIsAGap(value: Double) throws {
        var result = MadeUpRun.result()
        result.panels[0].lines[0].points = [.init(at: 1, value: value)]
        let back = try RunResult(json: result.json())
        #expect(back.panels[0].lines[0].points == [.init(at: 1, value: nil)])
    }
}
