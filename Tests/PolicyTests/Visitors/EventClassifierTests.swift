import Model
import Testing
import Text

@testable import Policy

@Suite struct EventClassifierTests {
    private let classifier = EventClassifier()
    static let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
    static let gmail = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    static let prefetch =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 "
        + "Mozilla/5.0"

    private func visit(
        _ action: TrackedAction = .click, _ method: TrackedMethod = .get, agent: String = browser, network: String = "", link: UInt16 = 0,
        at time: Int64 = 0, from visitor: UInt64 = 1
    ) -> TrackedEvent {
        var event = TrackedEvent(action, by: method, mailing: 1, batch: 0, index: 0, link: link, time: time)
        (event.agent, event.network, event.visitor) = (agent, network, visitor)
        return event
    }

    @Test func theBuiltInRulesAreWhole() {
        for rule in VisitorRules.builtInRules {
            for pattern in rule.condition.agents + rule.condition.butNot { #expect(AgentPattern(pattern.description) == pattern) }
            #expect(!rule.name.isEmpty && !rule.source.isEmpty)
        }
        let names = Set(VisitorRules.builtInNetworks.map(\.name))
        #expect(VisitorRules.builtInRules.allSatisfy { $0.condition.networks.isSubset(of: names) })
        #expect(VisitorRules.builtIn.networks.name(of: IPAddress.number(Array("209.222.82.7".utf8)) ?? 0) == "barracuda")
        #expect(VisitorRules.builtIn.networks.name(of: IPAddress.number(Array("2a02:26f7:c1::7".utf8)) ?? 0) == "apple-proxy")
        #expect(VisitorRules.builtInNetworks.map(\.ranges.count) == [9, 16, 2, 3, 2])
    }

    @Test func aVisitShowsWhoItWas() {
        #expect(classifier.classify(visit()) == .human)
        #expect(classifier.classify(visit(.open, agent: "Mozilla/4.0 (compatible; ms-office; MSOffice 16)")) == .human)
        #expect(classifier.classify(visit(agent: "Mozilla/5.0 (Linux; Android 9; CUBOT/P30) AppleWebKit/537.36")) == .human)
        #expect(classifier.classify(visit(.click, .head)) == .machine)
        #expect(classifier.classify(visit(.open, agent: "Mozilla/5.0", network: "apple-proxy")) == .machine)
        #expect(classifier.rule(for: visit(.open, agent: "Mozilla/5.0", network: "apple-proxy"))?.name == "Apple Mail Privacy Protection")
        // Private Relay shares the ranges with it: a person's browser, with its own name.
        #expect(classifier.classify(visit(network: "apple-proxy")) == .human)
        #expect(classifier.classify(visit(.open, agent: Self.gmail)) == .proxied)
        #expect(classifier.classify(visit(.click, agent: Self.gmail)) == .machine)
        #expect(classifier.classify(visit(.open, agent: Self.prefetch)) == .machine)
        #expect(
            classifier.classify(visit(.open, agent: "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html")) == .proxied
        )
        for agent in ["", "Barracuda Sentinel (EE)", "curl/8.5.0", "python-requests/2.31", "Slackbot-LinkExpanding 1.0"] {
            #expect(classifier.classify(visit(agent: agent)) == .machine, "\(agent)")
        }
        #expect(classifier.classify(visit(network: "proofpoint")) == .machine)
        var damaged = visit()
        damaged.damaged = true
        #expect(classifier.classify(damaged) == .machine)
    }

    @Test func aPostIsNeverAMachines() {
        for agent in ["", "Barracuda Sentinel (EE)", "curl/8.5.0", "Mozilla/5.0"] {
            #expect(classifier.classify(visit(.unsubscribe, .post, agent: agent)) == .proxied, "\(agent)")
        }
        #expect(classifier.classify(visit(.unsubscribe, .post)) == .human)
        // One within a burst is none either.
        let burst = (0..<6).map { visit(link: $0, at: Int64($0) * 10) } + [visit(.unsubscribe, .post, at: 30)]
        #expect(classifier.classify(burst, linksOfMessage: 6) == Array(repeating: .machine, count: 6) + [.human])
    }

    private func machines(_ times: [Int64], links: Int, ofParts parts: [Int]? = nil) -> Int {
        let visits = times.enumerated().map { visit(link: UInt16($0), at: $1) }
        return classifier.classify(visits, linksOfParts: parts ?? [links]).count { $0 == .machine }
    }

    @Test func manyLinksAtOnceAreAMachines() {
        #expect(machines([0, 500, 1000, 1500, 2000], links: 20) == 5)
        #expect(machines([0, 500, 1000, 1500, 2001], links: 20) == 0)
        #expect(machines([0, 10, 20, 30], links: 20) == 0)
        #expect(machines([0, 10, 20, 30], links: 4) == 4)
        #expect(machines([0, 10, 20], links: 3) == 3)
        #expect(machines([0, 10], links: 2) == 0)
        // A whole part of the message; and of one that is not known.
        #expect(machines([0, 10, 20], links: 6, ofParts: [3, 3]) == 3)
        #expect(machines([0, 10, 20], links: 6, ofParts: [4, 2]) == 0)
        #expect(machines([0, 10, 20, 30, 40], links: 0) == 5)
        // A long one goes on as long as there are five in each window.
        #expect(machines((0..<40).map { $0 * 400 }, links: 40) == 40)
        #expect(machines((0..<40).map { $0 * 600 }, links: 40) == 0)
    }

    @Test func theSameLinkAgainAndAgainIsNone() {
        let visits = (0..<50).map { visit(link: UInt16($0 % 2), at: Int64($0)) }
        #expect(classifier.classify(visits, linksOfMessage: 4).allSatisfy { $0 == .human })
    }

    @Test func thePixelBeforeABurstBelongsToIt() {
        let burst = (0..<5).map { visit(link: $0, at: 20_000 + Int64($0) * 10) }
        func classify(_ pixel: TrackedEvent) -> VisitorClass { classifier.classify([pixel] + burst, linksOfMessage: 9)[0] }
        #expect(classify(visit(.open, at: 19_000, from: 7)) == .machine)
        #expect(classify(visit(.open, at: 12_000)) == .machine)
        #expect(classify(visit(.open, agent: "Mozilla/5.0 (iPhone)", at: 12_000, from: 7)) == .human)
        #expect(classify(visit(.open, at: 9_000)) == .human)
        #expect(classify(visit(.open, agent: Self.gmail, at: 19_500, from: 7)) == .proxied)
        // Pages that a scanner looks at too.
        #expect(classify(visit(.unsubscribe, at: 20_020, from: 7)) == .machine)
    }

    @Test func aPersonBesideABurstStaysAPerson() {
        let burst = (0..<5).map { visit(link: $0, at: Int64($0) * 10, from: 9) }
        #expect(classifier.classify(burst + [visit(link: 2, at: 4_000, from: 9)], linksOfMessage: 9).last == .human)
    }

    @Test func theOrderOfTheVisitsDoesNotMatter() {
        var random = SeededGenerator(seed: 5)
        let visits = (0..<5).map { visit(link: $0, at: Int64($0) * 10) } + [visit(link: 1, at: 90_000), visit(.open, at: -10)]
        let classes = classifier.classify(visits, linksOfMessage: 9)
        for _ in 0..<20 {
            let order = visits.indices.shuffled(using: &random)
            #expect(classifier.classify(order.map { visits[$0] }, linksOfMessage: 9) == order.map { classes[$0] })
        }
    }

    @Test func whoTriesTokensOutIsAMachine() {
        var damaged = visit(link: 3, at: 1000, from: 5)
        damaged.damaged = true
        let visits = [visit(at: 0, from: 5), damaged, visit(at: 2500, from: 5), visit(at: 1000, from: 6), visit(at: 9000, from: 5)]
        #expect(classifier.classify(visits, linksOfMessage: 9) == [.machine, .machine, .machine, .human, .human])
    }

    @Test func aGatewayThatLooksForAHouseIsAMachine() {
        // Ten of 40 recipients of a house in two seconds; five of 1,000 of a large provider by chance.
        var visits = (0..<10).map { DomainVisit(domain: 1, recipient: $0, link: 2, time: Int64($0) * 200) }
        visits += (0..<5).map { DomainVisit(domain: 2, recipient: 100 + $0, link: 2, time: Int64($0) * 10) }
        visits += [DomainVisit(domain: 1, recipient: 30, link: 2, time: 60_000), DomainVisit(domain: 1, recipient: 31, link: 3, time: 500)]
        let machines = classifier.machines(visits, recipients: [1: 40, 2: 1000])
        #expect(machines == Array(repeating: true, count: 10) + Array(repeating: false, count: 7))
        // One person who clicks often is one.
        let often = (0..<20).map { DomainVisit(domain: 1, recipient: 1, link: 2, time: Int64($0)) }
        #expect(!classifier.machines(often, recipients: [1: 3]).contains(true))
    }

    @Test func visitsWithoutEndTakeTimeInProportion() {
        let visits = (0..<50_000).map { visit(link: UInt16($0 % 7), at: Int64($0) * 100) }
        #expect(classifier.classify(visits, linksOfMessage: 7).allSatisfy { $0 == .machine })
    }
}
