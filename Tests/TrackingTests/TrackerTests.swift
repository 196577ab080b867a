import Model
import Policy
import Signing
import Telemetry
import Testing
import Text

@testable import Tracking

/// What visitors are answered, without a server.
@Suite struct TrackerTests {
    private let keys: SigningKeys
    private let tracker: Tracker
    private let subject: TokenSubject
    private let now: Int64 = 1_700_000_000_000

    init() throws {
        keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        subject = try #require(TokenSubject(mailing: 7, batch: 8, index: 9))
        tracker = Tracker(.init(url: "https://t.example.com", keys: keys))
    }

    private func path(_ prefix: String, _ purpose: TokenPurpose, _ keys: SigningKeys? = nil) -> String {
        var out = Array("/\(prefix)/".utf8)
        (keys ?? self.keys).appendToken(purpose, subject, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private func click(_ target: String, number: UInt16 = 3) -> String {
        var out = Array("/c/".utf8)
        TrackedLink(number: number, target: Array(target.utf8)).append(subject, keys: keys, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private func answer(_ method: WebRequest.Method, _ target: String) -> Tracker.Answer {
        tracker.answer(WebRequest(method, target, agent: "Agent/1"), at: now)
    }

    @Test func thePixelIsAPictureThatNoCacheKeeps() throws {
        let answer = answer(.get, path("o", .open))
        #expect(answer.response.status == 200 && answer.response.body.count == 43)
        #expect(answer.response.value("Content-Type") == "image/gif" && answer.response.value("Cache-Control") == "no-store")
        var expected = TrackedEvent(.open, mailing: 7, batch: 8, index: 9, time: now)
        expected.agent = "Agent/1"
        #expect(answer.event == expected)
        #expect(self.answer(.head, path("o", .open)).event?.method == .head)
    }

    /// Whoever has just tried a changed token, and then the good one, tries links out.
    @Test func aVisitBesideADamagedTokenIsMarked() {
        let (open, unsubscribe) = (path("o", .open), path("u", .unsubscribe))
        func answer(_ method: WebRequest.Method, _ target: String, from peer: String, after time: Int64) -> Tracker.Answer {
            tracker.answer(WebRequest(method, target, agent: "Agent/1", peer: peer), at: now + time)
        }
        #expect(answer(.get, String(open.dropLast(3)), from: "192.0.2.1", after: 0).event == nil)
        #expect(answer(.get, open, from: "192.0.2.1", after: 2000).event?.damaged == true)
        #expect(answer(.get, open, from: "192.0.2.1", after: 2001).event?.damaged == false)
        #expect(answer(.get, open, from: "192.0.2.2", after: 1).event?.damaged == false)
        // A payload that was changed damages the token before it.
        let link = click("https://shop.example/")
        #expect(answer(.get, link + "AAAA", from: "192.0.2.3", after: 0).event == nil)
        #expect(answer(.get, link, from: "192.0.2.3", after: 1).event?.damaged == true)
        // Another recipient's token is not near it, and a POST is a decision.
        #expect(answer(.get, path("o", .open), from: "192.0.2.3", after: 2).event?.damaged == false)
        #expect(answer(.get, String(unsubscribe.dropLast()), from: "192.0.2.4", after: 0).event == nil)
        #expect(answer(.post, unsubscribe, from: "192.0.2.4", after: 1).event?.damaged == false)
    }

    @Test func aLinkLeadsToItsTargetAndNowhereElse() {
        let target = "https://shop.example/a?b=c&d=%20#e"
        let answer = answer(.get, click(target))
        #expect(answer.response.status == 302 && answer.response.location == target)
        #expect(answer.response.value("Referrer-Policy") == "no-referrer")
        #expect(answer.event?.action == .click && answer.event?.link == 3)
        #expect(self.answer(.get, click("https://köln.example/ü")).response.location == "https://k%C3%B6ln.example/%C3%BC")
    }

    /// Where it leads is not known here.
    @Test func aShortLinkIsATokenAlone() throws {
        func link(_ purpose: TokenPurpose, _ keys: SigningKeys? = nil) -> String { String(path("x", purpose, keys).dropFirst(2)) }
        let good = link(.shortLink)
        #expect(good.utf8.count == 28)
        for target in [good, good + ".", good + "?utm=1", good + ")"] {
            let waiting = answer(.get, target)
            #expect(waiting.response.status == 503 && waiting.event == nil && waiting.fault == nil)
            let lookup = try #require(tracker.lookup(of: WebRequest(.get, target)))
            #expect(lookup.question == Question(.link, mailing: 7, batch: 8, index: 9, link: 0))
        }
        #expect(answer(.post, good).response.status == 405 && tracker.lookup(of: WebRequest(.post, good)) == nil)
        let others = try SigningKeys([1: Secret(String(repeating: "x", count: 32))])
        var bad = TokenPurpose.allCases.filter { $0 != .shortLink }.map { link($0) } + [link(.shortLink, others)]
        bad += (16..<27).map { String(good.prefix(1 + $0)) } + [good + "A", good + "AAAAAAAAAAAAAAAAAAAA"]
        for target in bad {
            let refused = answer(.get, target)
            #expect(refused.response.status == 404 && refused.kind == .refused && refused.fault != nil && refused.event == nil, "\(target)")
            #expect(tracker.lookup(of: WebRequest(.get, target)) == nil)
        }
        for prefix in ["o", "u", "p", "v", "c"] {
            #expect(answer(.get, "/\(prefix)" + good).kind == .refused, "\(prefix)")
            #expect(answer(.get, "/" + path(prefix, .shortLink)).event == nil)
        }
        for target in ["/favicon.ico", "/robots.txt", "/apple-app-site-association.json", "/wp-login.php", "/x", good + "/x", "/" + good] {
            #expect(answer(.get, target).kind == .other, "\(target)")
        }
    }

    /// A path of the public address may look like that of another link.
    @Test(arguments: ["/u", "/o", "/c", "/news/t", ""]) func aShortLinkIsFoundBelowAnyPath(_ base: String) throws {
        let tracker = Tracker(.init(url: "https://example.com\(base)", keys: keys))
        let short = String(path("x", .shortLink).dropFirst(2))
        for target in [base + short, short] {
            #expect(tracker.lookup(of: WebRequest(.get, target))?.question.kind == .link, "\(target)")
        }
        // A proxy has removed the path, and what is left begins as the path does.
        for (prefix, purpose) in [("u", TokenPurpose.unsubscribe), ("o", .open)] {
            for target in [base + path(prefix, purpose), path(prefix, purpose)] {
                #expect(tracker.answer(WebRequest(.get, target), at: now).response.status == 200, "\(target)")
            }
        }
    }

    @Test func onlyAPostUnsubscribes() {
        let path = path("u", .unsubscribe)
        for method in [WebRequest.Method.get, .head] {
            let page = answer(method, path)
            #expect(page.response.status == 200 && page.event == nil && page.response.body.text.contains("<form method=\"post\">"))
        }
        for _ in 0..<3 {
            let done = answer(.post, path)
            #expect(done.response.status == 200 && done.event?.action == .unsubscribe && done.event?.method == .post)
            #expect(done.response.location == nil && done.response.value("Set-Cookie") == nil)
        }
        #expect(tracker.answer(WebRequest(.post, path), at: now).event?.action == .unsubscribe)
    }

    @Test func thePageOfChoicesStopsMessagesAndTakesThatBack() {
        let path = path("p", .preferences)
        #expect(answer(.get, path).response.body.text.contains("<form") && answer(.get, path + "?again").event == nil)
        #expect(answer(.post, path).event?.action == .unsubscribe && answer(.post, path + "?").event?.action == .unsubscribe)
        #expect(answer(.post, path + "?again").event?.action == .resubscribe)
        #expect(answer(.post, self.path("u", .unsubscribe) + "?again").event?.action == .unsubscribe)
        #expect(answer(.post, self.path("p", .unsubscribe)).response.status == 404)
    }

    @Test func pagesNeedNoScriptAndLetNobodyElseIn() {
        let page = answer(.get, path("u", .unsubscribe)).response
        #expect(page.value("Content-Security-Policy")?.contains("default-src 'none'") == true)
        #expect(page.value("X-Content-Type-Options") == "nosniff" && page.value("Cache-Control") == "no-store")
        #expect(!page.body.text.contains("<script") && page.body.text.contains("<html lang=\"en\">"))
        #expect(answer(.get, "/style.css").response.status == 200)
    }

    @Test func tokensThatAreNoneGetAPageAndMakeNoEvent() throws {
        let other = try SigningKeys([1: Secret(String(repeating: "x", count: 32))])
        let good = path("o", .open)
        var targets = [
            "/o/", "/o/x", "/u/", "/c/", "/c/x", "/c/x/y", path("o", .click), path("u", .open), path("c", .click), path("o", .open, other),
        ]
        targets += (3..<good.utf8.count).map { String(good.prefix($0)) }
        targets += [good + "x", good + "/", String(click("https://a.example/").dropLast()), click("https://a.example/") + "A"]
        for target in targets {
            for method in [WebRequest.Method.get, .head, .post] where method != .post || target.hasPrefix("/u") {
                let answer = answer(method, target)
                #expect((404...405).contains(answer.response.status), "\(target)")
                #expect(answer.event == nil && answer.response.location == nil, "\(target)")
            }
        }
        #expect(answer(.get, path("o", .open, other)).fault == .forged && answer(.get, path("o", .click)).fault == .otherPurpose)
    }

    @Test(arguments: 0..<5 as Range<UInt64>) func nothingThatIsSentMakesAnEvent(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let links = [path("o", .open), path("u", .unsubscribe), click("https://a.example/")].map { Array($0.utf8) }
        for _ in 0..<500 {
            var bytes = links.randomElement(using: &random) ?? []
            let place = Int.random(in: 3..<bytes.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[place] = bytes[place] == 65 ? 66 : 65
            case 1: bytes.remove(at: place)
            default: bytes.insert(UInt8.random(in: 33..<63, using: &random), at: place)
            }
            let answer = answer([.get, .head, .post].randomElement(using: &random) ?? .get, String(decoding: bytes, as: UTF8.self))
            #expect(answer.event == nil && answer.response.location == nil && (400..<500).contains(answer.response.status))
        }
    }

    @Test func otherMethodsAreRefused() {
        #expect(answer(.other, path("u", .unsubscribe)).response.status == 405)
        for target in [path("o", .open), click("https://a.example/"), "/health"] {
            let answer = answer(.post, target)
            #expect(answer.response.status == 405 && answer.event == nil && answer.response.value("Allow") == "GET, HEAD")
        }
    }

    @Test func aProxyLearnsWhichDomainIsOurs() {
        #expect(answer(.get, "/tls?domain=T.example.com").response.status == 200)
        for query in ["", "?", "?domain=", "?domain=evil.example", "?domain=t.example.com&domain=evil.example", "?x=t.example.com"] {
            #expect(answer(.get, "/tls\(query)").response.status == 404, "\(query)")
        }
        var many = Tracker.Configuration(url: "https://t.example.com", keys: keys)
        many.otherURLs = ["https://t.Shop.example", "https://t.news.example:8443"]
        let all = Tracker(many)
        for (domain, status) in [("t.example.com", 200), ("t.shop.example", 200), ("t.news.example", 200), ("shop.example", 404)] {
            #expect(all.answer(WebRequest(.get, "/tls?domain=\(domain)"), at: now).response.status == status, "\(domain)")
        }
        #expect(answer(.get, "/health").response.status == 200 && answer(.get, "/").response.status == 404)
        for target in ["", "*", "//", "///", "/x/y", "/v/x", "http://a.example/"] { #expect(answer(.get, target).response.status == 404) }
    }

    @Test func thePathOfThePublicAddressMayBeRemovedByAProxyOrNot() {
        let tracker = Tracker(.init(url: "https://example.com/news/t", keys: keys))
        for target in [path("o", .open), "/news/t" + path("o", .open)] {
            #expect(tracker.answer(WebRequest(.get, target), at: now).event?.action == .open)
        }
        #expect(tracker.answer(WebRequest(.get, "/news/tx" + path("o", .open)), at: now).event == nil)
        let page = tracker.answer(WebRequest(.get, path("u", .unsubscribe)), at: now).response
        #expect(page.body.text.contains("href=\"/news/t/style.css\""))
    }

    @Test func aUserAgentIsKeptWithoutWhatTerminalsAndColumnsCannotHold() {
        func kept(_ agent: String) -> String? { tracker.answer(WebRequest(.get, path("o", .open), agent: agent), at: now).event?.agent }
        #expect(kept("a\u{9b}b\u{85}c") == "abc")
        #expect(kept(String(repeating: "ü", count: 1000))?.utf8.count == 256)
        #expect(kept("") == "")
    }

    @Test func addressesAreKeptAsConfigured() throws {
        var configuration = Tracker.Configuration(url: "https://t.example.com", keys: keys)
        configuration.trustedProxies = [try #require(IPNetwork("10.0.0.0/8"))]
        let range = try #require(IPNetwork("192.0.2.0/24"))
        configuration.visitors = VisitorRules(
            version: "1", rules: [], networks: [.init(name: "apple-proxy", ranges: [range], source: "")])
        func event(_ peer: String, _ forwarded: [String] = []) -> TrackedEvent? {
            Tracker(configuration).answer(WebRequest(.get, path("o", .open), forwarded: forwarded, peer: peer), at: now).event
        }
        #expect(event("192.0.2.7")?.address == "" && event("192.0.2.7")?.network == "apple-proxy")
        #expect(event("192.0.2.7")?.visitor == event("10.1.1.1", ["192.0.2.7"])?.visitor && event("192.0.2.7")?.visitor != 0)
        #expect(event("192.0.2.7")?.visitor != event("192.0.2.8")?.visitor)
        configuration.addresses = .truncated
        #expect(event("10.1.1.1", ["192.0.2.7"])?.address == "192.0.2.0" && event("2001:db8:1:2::3")?.address == "2001:db8:1::")
        configuration.addresses = .full
        #expect(event("10.1.1.1", ["192.0.2.7"])?.address == "192.0.2.7" && event("2001:db8:1:2::3")?.address == "2001:db8:1:2::3")
        // A stranger's word is not taken.
        #expect(event("203.0.113.5", ["192.0.2.7"])?.address == "203.0.113.5")
    }
}

@Suite struct VisitorAddressTests {
    private let trusted = [IPNetwork("10.0.0.0/8"), IPNetwork("2001:db8:ffff::/48")].compactMap { $0 }

    private func visitor(_ peer: String?, _ forwarded: String...) -> String? {
        VisitorAddress(peer: peer, forwarded: forwarded, trusted: trusted)?.text(.full)
    }

    @Test func onlyTrustedProxiesAreBelieved() {
        #expect(visitor("192.0.2.1", "198.51.100.1") == "192.0.2.1")
        #expect(visitor("10.0.0.1", "198.51.100.1") == "198.51.100.1")
        // The last is what our proxy saw; what stands before it, anybody may have written.
        #expect(visitor("10.0.0.1", "1.1.1.1, 198.51.100.1") == "198.51.100.1")
        #expect(visitor("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2") == "198.51.100.1")
        #expect(visitor("10.0.0.1", "198.51.100.1", "10.0.0.2,10.0.0.3") == "198.51.100.1")
        #expect(visitor("2001:db8:ffff::1", "2001:db8::9") == "2001:db8::9")
    }

    @Test func whatIsNoAddressEndsTheSearch() {
        for text in ["", "unknown", "_hidden", "evil, ", "1.2.3", "999.1.1.1"] {
            #expect(visitor("10.0.0.1", text) == "10.0.0.1", "\(text)")
        }
        #expect(visitor("10.0.0.1", "198.51.100.1, junk, 10.0.0.2") == "10.0.0.2")
        #expect(visitor("10.0.0.1", String(repeating: "10.0.0.9,", count: 5000)) == "10.0.0.1")
        #expect(visitor(nil, "198.51.100.1") == nil)
    }

    @Test func portsAndBracketsAreTakenOff() {
        #expect(visitor("10.0.0.1", " 198.51.100.1:4711\t") == "198.51.100.1")
        #expect(visitor("10.0.0.1", "[2001:db8::9]:4711") == "2001:db8::9")
        #expect(visitor("::ffff:10.0.0.1", "::ffff:198.51.100.1") == "198.51.100.1")
    }
}
