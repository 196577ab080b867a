import Model
import Testing

@testable import Transport

@Suite struct RetryAfterTests {
    /// 1994-11-06 08:49:37 UTC.
    private let moment = 784_111_777.0

    @Test(arguments: ["0", "120", "86400"])
    func readsSeconds(_ text: String) {
        #expect(RetryAfter.seconds(text.utf8, now: moment) == Double(text))
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func readsAllFormsOfDate(_ text: String) {
        #expect(RetryAfter.seconds(text.utf8, now: moment - 30) == 30)
        #expect(RetryAfter.seconds(text.utf8, now: moment + 30) == 0)
    }

    @Test func knowsLeapDays() {
        // 2024-02-29 00:00:00 and 2024-03-01 00:00:00 UTC.
        #expect(RetryAfter.seconds("Thu, 29 Feb 2024 00:00:00 GMT".utf8, now: 1_709_164_800 - 5) == 5)
        #expect(RetryAfter.seconds("Fri, 01 Mar 2024 00:00:00 GMT".utf8, now: 1_709_251_200 - 5) == 5)
    }

    @Test func takesMoreThanADayAsADay() {
        #expect(RetryAfter.seconds("99999999999999999999999".utf8, now: moment) == RetryAfter.longest)
        #expect(RetryAfter.seconds("Fri, 31 Dec 9999 23:59:59 GMT".utf8, now: moment) == RetryAfter.longest)
    }

    @Test(arguments: [
        "", " ", "-5", "1.5", "soon", "5 s", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", ", , , , ,", "a b c d e f",
    ])
    func leavesOutWhatIsNeither(_ text: String) {
        #expect(RetryAfter.seconds(text.utf8, now: moment) == nil)
    }
}

@Suite struct JSONPathTests {
    private func find(_ path: String, _ json: String) -> String? { JSONPath(path).text(in: Array(json.utf8)) }

    @Test func findsMembersAndElements() {
        let json = #" { "a" : [ 1, {"x":"]}"}, "two" ], "messages": [{"id":"m-1"},{"id":17}], "n": -1.5e3, "": "e" } "#
        #expect(find("messages.0.id", json) == "m-1")
        #expect(find("messages.1.id", json) == "17")
        #expect(find("a.2", json) == "two")
        #expect(find("a.1.x", json) == "]}")
        #expect(find("n", json) == "-1.5e3")
        #expect(find("", json) == "e")
    }

    @Test func decodesEscapes() {
        #expect(find("a", #"{"a":"x\"\\\/\n\u00e9\ud83d\ude00\ud800!"}"#) == "x\"\\/\n\u{e9}\u{1f600}\u{fffd}!")
    }

    @Test func findsNoneWhereThereIsNone() {
        for (path, json) in [
            ("b", #"{"a":1}"#), ("a", #"{"a":null}"#), ("a", #"{"a":true}"#), ("a", #"{"a":{}}"#),
            ("a.0", #"{"a":[]}"#),
            ("a.1", #"{"a":[1]}"#), ("a.x", #"{"a":[1]}"#), ("a.-1", #"{"a":[1]}"#), ("a", ""), ("a", "["), ("a", "{"),
            ("a", #"{"a"#), ("a", #"{"a":"unfinished"#), ("a", "plain"), ("b", #"{"a":}"#), ("b", #"{"a" "b":1}"#),
        ] {
            #expect(find(path, json) == nil, "\(path) in \(json)")
        }
    }

    @Test func endsOnAnyInput() {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array(#"{}[]",:\u01ae-. "#.utf8) + [0x00, 0xff]
        for _ in 0..<20_000 {
            let json = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            for path in ["a", "a.0", "0.a", ""] { _ = JSONPath(path).text(in: json) }
            #expect(HTTPErrorText.reason(in: json).utf8.count <= HTTPErrorText.longest)
        }
    }

    @Test func passesNestingUpToALimit() {
        func nested(_ depth: Int) -> String {
            #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + #","b":"ok"}"#
        }
        #expect(find("b", nested(60)) == "ok")
        #expect(find("b", nested(30_000)) == nil)
    }

    @Test func readsResponsesThatAreNotQuiteJSON() {
        #expect(find("a", "{\"a\":\"one\ntwo\"}") == "one\ntwo")
        #expect(find("a", #"{"a":"c:\dir"}"#) == "c:dir")
        #expect(find("message", #"{"message":"no credit","detail":{"cut"#) == "no credit")
        #expect(find("é", #"{"\u00e9":1}"#) == "1")
    }
}

@Suite struct HTTPErrorTextTests {
    private func reason(_ body: String) -> String { HTTPErrorText.reason(in: Array(body.utf8)) }

    @Test func takesTheUsualMembers() {
        #expect(reason(#"{"code":3,"message":"no credit"}"#) == "no credit")
        #expect(reason(#"{"error":"bad"}"#) == "bad")
        #expect(reason(#"{"error":{"message":"worse"},"message":"m"}"#) == "worse")
        #expect(reason(#"{"type":"t","title":"Out of credit","detail":"Balance is 30"}"#) == "Balance is 30")
        #expect(reason(#"{"errors":[{"message":"first"}]}"#) == "first")
        #expect(reason(#"{"x":1}"#) == #"{"x":1}"#)
    }

    @Test func takesTextsAndTitles() {
        #expect(reason(" over\r\n\tquota \u{0}") == "over quota")
        #expect(reason("<html><head><TITLE>502 Bad\nGateway</title></head>") == "502 Bad Gateway")
        #expect(reason("<html>") == "")
        #expect(reason("") == "")
    }

    @Test func isOneLineOfAtMost500Bytes() {
        let text = reason(String(repeating: "€ \u{2028}\u{202e}\u{7f}", count: 1000))
        #expect(text.utf8.count <= 500 && text.utf8.count > 490)
        #expect(text.unicodeScalars.allSatisfy { $0 == "€" || $0 == " " })
        #expect(HTTPErrorText.reason(in: [0xff, 0xfe, 0x41]).utf8.count <= 500)
    }
}

@Suite struct HTTPResponseCountsTests {
    @Test func countsResponsesByHundredAndThoseNeverSent() {
        var deliveryCounts = HTTPResponseCounts()
        for code in [200, 204, 404, 503, 999] {
            deliveryCounts.count(ProviderResponse(action: .accept, stage: .response, code: code, text: ""))
        }
        deliveryCounts.count(ProviderResponse(action: .reconnect, stage: .response, code: 0, text: ""))
        deliveryCounts.count(ProviderResponse(action: .reconnect, stage: .tls, code: 0, text: ""))
        #expect(deliveryCounts.responses == [3, 0, 2, 0, 1, 1])
        #expect(deliveryCounts.unsent == 1)
    }
}
