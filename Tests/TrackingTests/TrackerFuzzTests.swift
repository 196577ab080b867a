import Model
import Signing
import Telemetry
import TestServers
import Testing
import Text

@testable import Tracking

/// Whatever strangers make of links: only what was signed is an event, leads anywhere or changes anything.
@Suite struct TrackerFuzzTests {
    private static let purposes: [(prefix: String, purpose: TokenPurpose)] = [
        ("o", .open), ("u", .unsubscribe), ("p", .preferences), ("v", .view),
    ]

    private let keys: SigningKeys
    private let others: SigningKeys
    private let tracker: Tracker

    init() throws {
        keys = try SigningKeys([1: Self.secret("a"), 7: Self.secret("b")])
        // The same numbers, and a number that the tracker lacks.
        others = try SigningKeys([7: Self.secret("x"), 8: Self.secret("y")], current: 7)
        tracker = Tracker(.init(url: "https://t.example.com/u", keys: keys))
    }

    private static func secret(_ letter: Character) -> Secret { Secret(String(repeating: letter, count: 32)) }

    private func subject(_ generator: inout SeededGenerator) throws -> TokenSubject {
        try #require(
            TokenSubject(
                mailing: .random(in: 0 ... .max, using: &generator), batch: .random(in: 0..<1 << 20, using: &generator),
                index: .random(in: 0..<1 << 14, using: &generator)))
    }

    private func token(_ purpose: TokenPurpose, _ subject: TokenSubject, _ keys: SigningKeys, payload: [UInt8] = []) -> [UInt8] {
        var out: [UInt8] = []
        keys.appendToken(purpose, subject, payload: payload, to: &out)
        return out
    }

    private func link(_ subject: TokenSubject, _ keys: SigningKeys, bytes: Int) -> [UInt8] {
        var out: [UInt8] = []
        let target = Array("https://shop.example/".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: bytes)
        TrackedLink(number: 3, target: target).append(subject, keys: keys, to: &out)
        return out
    }

    /// Links of any purpose, key, mailing and place, spoilt at random.
    @Test(arguments: 0..<8 as Range<UInt64>) func whatIsSpoiltIsRefused(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var events = 0
        for _ in 0..<2_000 {
            let subject = try subject(&generator)
            let (prefix, purpose) = try #require(Self.purposes.randomElement(using: &generator))
            let isLink = Bool.random(using: &generator)
            let path =
                isLink
                ? Array("/c/".utf8) + link(subject, keys, bytes: .random(in: 0...300, using: &generator))
                : Array("/\(prefix)/".utf8) + token(purpose, subject, keys)
            let spoilt = String(decoding: Mutation.spoil(path, using: &generator), as: UTF8.self)
            let methods: [WebRequest.Method] = [.get, .head, .post, .other]
            let answer = tracker.answer(WebRequest(try #require(methods.randomElement(using: &generator)), spoilt), at: 5)
            guard let event = answer.event else {
                #expect(answer.response.location == nil && [200, 404, 405].contains(answer.response.status))
                continue
            }
            // What was added at the end, or behind a question mark, is no part of it.
            #expect(spoilt.contains(String(decoding: path, as: UTF8.self)), "\(spoilt)")
            #expect((event.mailing, event.batch, event.index) == (subject.mailing, subject.batch, subject.index))
            events += 1
        }
        #expect(events < 200)
    }

    /// Short links, spoilt at random or of any other kind: whatever is asked for is what was signed.
    @Test(arguments: 0..<4 as Range<UInt64>) func noShortLinkIsMadeByAStranger(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var asked = 0
        for _ in 0..<2_000 {
            let subject = try #require(try subject(&generator).with(link: .random(in: 0..<64, using: &generator)))
            let purpose = Bool.random(using: &generator) ? .shortLink : TokenPurpose.allCases.randomElement(using: &generator) ?? .open
            let token = token(purpose, subject, Bool.random(using: &generator) ? keys : others)
            let base = Bool.random(using: &generator) ? "/u/" : "/"
            let path = Array(base.utf8) + token
            let isSpoilt = Bool.random(using: &generator)
            let sent = String(decoding: isSpoilt ? Mutation.spoil(path, using: &generator) : path, as: UTF8.self)
            let answer = tracker.answer(WebRequest(.get, sent), at: 5)
            #expect(answer.event == nil && answer.response.location == nil)
            guard let found = tracker.lookup(of: WebRequest(.get, sent)), found.question.kind == .link else { continue }
            #expect(purpose == .shortLink && sent.contains(String(decoding: token, as: UTF8.self)), "\(sent)")
            #expect(found.question.link == subject.link && found.question.mailing == subject.mailing)
            #expect(found.question.batch == subject.batch && found.question.index == subject.index)
            asked += 1
        }
        #expect(asked > 200)
    }

    /// A token of one purpose under the address of another, of another's keys, or with another's payload.
    @Test func whatIsSignedForSomethingElseIsRefused() throws {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<500 {
            let subject = try subject(&generator)
            for (prefix, _) in Self.purposes + [("c", .click)] {
                for (_, purpose) in Self.purposes {
                    let right = Self.purposes.contains { $0.prefix == prefix && $0.purpose == purpose }
                    for (keys, isOurs) in [(keys, true), (others, false)] where !(right && isOurs) {
                        let path = String(decoding: Array("/\(prefix)/".utf8) + token(purpose, subject, keys), as: UTF8.self)
                        for method in [WebRequest.Method.get, .post] {
                            let answer = tracker.answer(WebRequest(method, path), at: 5)
                            #expect(answer.event == nil && answer.response.status != 200, "\(path)")
                        }
                    }
                }
            }
            let (one, two) = (link(subject, keys, bytes: 5), link(try self.subject(&generator), keys, bytes: 6))
            let crossed = Array("/c/".utf8) + one.prefix(27) + two.dropFirst(27)
            #expect(tracker.answer(WebRequest(.get, String(decoding: crossed, as: UTF8.self)), at: 5).response.status == 404)
        }
    }

    /// Payloads of any length up to 64 KiB, signed or not.
    @Test func longPayloadsLeadNowhere() throws {
        var generator = SeededGenerator(seed: 10)
        for bytes in [0, 1, 4000, 4075, 4200, 5000, 48 << 10, 64 << 10] {
            let subject = try subject(&generator)
            let good = Array("/c/".utf8) + link(subject, keys, bytes: bytes)
            let answer = tracker.answer(WebRequest(.get, String(decoding: good, as: UTF8.self)), at: 5)
            #expect((answer.response.status == 302) == (bytes + 21 <= TrackedLink.longestTarget), "\(bytes)")
            let noise = (0..<bytes).map { _ in UInt8.random(in: 0x21...0x7e, using: &generator) }
            let bad = Array("/c/".utf8) + token(.click, subject, keys) + Array("/".utf8) + noise
            #expect(tracker.answer(WebRequest(.get, String(decoding: bad, as: UTF8.self)), at: 5).event == nil)
            let long = Array("/o/".utf8) + token(.open, subject, keys) + noise
            #expect(bytes == 0 || tracker.answer(WebRequest(.get, String(decoding: long, as: UTF8.self)), at: 5).response.status != 302)
        }
    }
}
