import Model
import TestServers
import Testing

@testable import Policy

@Suite struct TextPatternTests {
    @Test(arguments: [
        ("spamhaus", "5.7.1 Blocked using Zen.SPAMHAUS.org", true),
        ("blocked using*spamhaus", "Blocked using zen.spamhaus", true),
        ("spamhaus*blocked", "blocked using spamhaus", false), ("*limit*", "rate limit", true), ("a*a", "a", false),
        ("aab", "aaab", true), ("abab*abab", "ababab", false), ("Grüße", "viele Grüße", true),
        ("GRÜSSE", "grüße", false),
        ("x", "", false),
    ])
    func patternsMatch(_ pattern: String, _ text: String, _ matches: Bool) throws {
        #expect(try #require(TextPattern(pattern)).matches(text) == matches)
    }

    @Test(arguments: ["", "*", "* *", "a\nb", "a\u{7f}", String(repeating: "a", count: 201)])
    func whatIsNoPatternIsRefused(_ text: String) {
        #expect(TextPattern(text) == nil)
    }

    @Test func everyPatternOfTheStandardTableIsOneThatAFileMayHold() {
        for rule in ResponseProtocol.allCases.flatMap({ ResponseTable.standard.rules(of: $0) }) {
            for pattern in rule.condition.texts { #expect(TextPattern(pattern.description) == pattern) }
        }
    }

    /// Tries every way in which the pattern could lie over the text.
    private func naive(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        func isPrefix(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
            guard let first = pattern.first else { return true }
            if first == UInt8(ascii: "*") {
                return (text.startIndex...text.endIndex).contains { isPrefix(pattern.dropFirst(), text[$0...]) }
            }
            return text.first == first && isPrefix(pattern.dropFirst(), text.dropFirst())
        }
        return (0...text.count).contains { isPrefix(pattern[...], text[$0...]) }
    }

    @Test func theTableOfTrigramsRulesOutNoPatternThatMatches() {
        var generator = SeededGenerator(seed: 12)
        let patterns = ResponseProtocol.allCases.flatMap { ResponseTable.standard.rules(of: $0) }.flatMap(\.condition.texts)
        for pattern in patterns {
            let noise = String((0..<Int.random(in: 0...40, using: &generator)).map { _ in "aeirtn 57.<>@".randomElement() ?? "a" })
            let text = noise + pattern.description.replacing("*", with: noise).uppercasedASCII + noise
            #expect(pattern.matches(text) && pattern.matches(text, TextTrigrams(text)), "\(pattern)")
            #expect(!pattern.matches("", TextTrigrams("")))
        }
    }

    @Test func itFindsWhatANaiveSearchFinds() {
        var generator = SeededGenerator(seed: 11)
        var found = 0
        for _ in 0..<20_000 {
            let pattern = (0..<Int.random(in: 1...7, using: &generator)).map { _ in
                "aab*".utf8.randomElement(using: &generator) ?? 0
            }
            let text = (0..<Int.random(in: 0...14, using: &generator)).map { _ in
                "aab".utf8.randomElement(using: &generator) ?? 0
            }
            guard let compiled = TextPattern(String(decoding: pattern, as: UTF8.self)) else { continue }
            let matches = compiled.matches(String(decoding: text, as: UTF8.self))
            #expect(matches == naive(pattern, text), "\(compiled) in \(String(decoding: text, as: UTF8.self))")
            found += matches ? 1 : 0
        }
        #expect((2_000...18_000).contains(found))
    }

    @Test(arguments: [
        String(repeating: "a", count: 199) + "b", String(repeating: "a*", count: 99) + "b",
        String(repeating: "aab*", count: 49) + "aaac",
    ])
    func aHostilePatternAndTextTakeLinearTime(_ text: String) throws {
        let hostile = try #require(TextPattern(text))
        let plain = try #require(TextPattern("zzzz"))
        let long = String(repeating: "a", count: 60_000)
        func time(_ pattern: TextPattern) -> Double {
            (0..<3).map { _ in
                let start = cpuTime()
                #expect(!pattern.matches(long))
                return cpuTime() - start
            }.min() ?? 0
        }
        // A search that begins anew at each byte would take some 200 times as long.
        #expect(time(hostile) < time(plain) * 20)
    }
}

extension String {
    /// Case does not matter of ASCII letters alone.
    fileprivate var uppercasedASCII: String { String(map { $0.isASCII ? Character($0.uppercased()) : $0 }) }
}
