import Model

/// Makes up the visits of one message after another: people, scanners and mail programs, the same for the same seed.
package struct SyntheticVisits {
    private let population: VisitPopulation
    private var generator: SeededGenerator
    private var recipient: UInt32 = 0
    private var visits: [(event: TrackedEvent, visitor: VisitedMessage.Visitor)] = []
    /// Of the message, in milliseconds since 1970.
    private var sending: Int64 = 1_796_000_000_000
    /// The address of the recipient's own machine, and of their house's gateway.
    private var home: UInt64 = 0
    private var gateway: UInt64 = 0

    package init(_ population: VisitPopulation = VisitPopulation(), seed: UInt64) {
        self.population = population
        generator = SeededGenerator(seed: seed)
    }

    package mutating func next() -> VisitedMessage {
        visits = []
        sending += 1
        (home, gateway) = (generator.next() | 1, generator.next() | 1)
        let links = Int.random(in: population.links, using: &generator)
        let isScanned = generator.chance(population.scanned)
        if isScanned { scan(links) }
        read(links, isScanned)
        recipient = (recipient + 1) % TrackedEvent.batches
        visits.sort { $0.event.time < $1.event.time }
        return VisitedMessage(links: links, visits: visits.map(\.event), visitors: visits.map(\.visitor))
    }

    // Scanners

    private mutating func scan(_ links: Int) {
        let agent = generator.chance(population.burstsWithName) ? pick(Self.scanners) : pick(Self.browsers)
        let start = sending + milliseconds(population.burstDelay)
        guard links >= 3, !generator.chance(population.loneScanners) else {
            var time = start
            for link in 0..<min(links, 2) {
                add(.click, link, at: time, agent, gateway, .loneScanner)
                time += milliseconds(population.burstGap)
            }
            return
        }
        burst(0, links, at: start, agent)
        if generator.chance(population.burstsAgain) { burst(1, links, at: start + 1_800_000, agent) }
    }

    private mutating func burst(_ number: Int, _ links: Int, at start: Int64, _ agent: String) {
        var time = start
        if generator.chance(population.burstsWithPixel) {
            add(.open, 0, at: time, agent, gateway, .burst(number))
            time += milliseconds(population.burstGap)
        }
        let hasHead = generator.chance(population.burstsWithHead)
        // Some come by many addresses, as those in a cloud.
        let spreads = generator.chance(0.3)
        for link in (0..<links).shuffled(using: &generator) {
            let address = spreads ? generator.next() | 1 : gateway
            if hasHead { add(.click, link, by: .head, at: time, agent, address, .burst(number)) }
            add(.click, link, at: time, agent, address, .burst(number))
            time += milliseconds(population.burstGap)
        }
    }

    // People

    private mutating func read(_ links: Int, _ isScanned: Bool) {
        let program = Double.random(in: 0..<1, using: &generator)
        var time = sending + milliseconds(population.readingDelay)
        let reads = generator.chance(population.opened)
        let browser = pick(Self.browsers)
        switch program {
        case ..<population.apple:
            if reads || generator.chance(0.5) {
                add(.open, 0, at: sending + milliseconds((600, 1.5)), "Mozilla/5.0", generator.next() | 1, .prefetch, "apple-proxy")
            }
        case ..<(population.apple + population.gmail):
            guard reads else { break }
            if generator.chance(population.gmailPrefetch) {
                add(.open, 0, at: sending + milliseconds((60, 1)), Self.gmailPrefetch, generator.next() | 1, .prefetch, "google")
            }
            add(.open, 0, at: time, Self.gmail, generator.next() | 1, .person, "google")
        case ..<(population.apple + population.gmail + population.yahoo):
            if reads { add(.open, 0, at: time, Self.yahoo, generator.next() | 1, .person) }
        default:
            if reads { add(.open, 0, at: time, browser, home, .person) }
        }
        guard reads, generator.chance(population.clicked) else { return }
        let address = isScanned && generator.chance(population.sharedAddresses) ? gateway : home
        let isTabber = generator.chance(population.tabbers)
        var count = 1
        while count < links, generator.chance(isTabber ? 0.8 : 0.25) { count += 1 }
        for link in (0..<links).shuffled(using: &generator).prefix(count) {
            time += milliseconds(isTabber ? population.tabGap : population.readingGap)
            add(.click, link, at: time, browser, address, .person)
            if generator.chance(population.doubleClicks) {
                add(.click, link, at: time + .random(in: 100...500, using: &generator), browser, address, .person)
            }
        }
    }

    // Parts

    private mutating func add(
        _ action: TrackedAction, _ link: Int, by method: TrackedMethod = .get, at time: Int64, _ agent: String, _ address: UInt64,
        _ visitor: VisitedMessage.Visitor, _ network: String = ""
    ) {
        var event = TrackedEvent(action, by: method, mailing: 1, batch: recipient, index: 0, link: UInt16(link), time: time)
        (event.agent, event.visitor, event.network) = (agent, address, network)
        visits.append((event, visitor))
    }

    private mutating func milliseconds(_ time: (median: Double, spread: Double)) -> Int64 {
        Int64(min(generator.logNormal(median: time.median, spread: time.spread), 10_000_000) * 1000)
    }

    private mutating func pick(_ texts: [String]) -> String { texts[Int.random(in: texts.indices, using: &generator)] }

    private static let gmail = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    private static let gmailPrefetch =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 "
        + "Edge/12.246 Mozilla/5.0"
    private static let yahoo = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
    private static let scanners = [
        "Barracuda Sentinel (EE)", "Mozilla/5.0 (compatible; Proofpoint URL Defense)", "python-requests/2.31.0", "",
    ]
    package static let browsers = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Mozilla/5.0 (Linux; Android 9; CUBOT/P30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
    ]
}
