package import Model
package import Policy

/// Writes a file of invented recipients, the same for the same seed: names in many scripts, addresses under reserved domains or
/// telephone numbers reserved for fiction, and a share of rows that a planner must exclude.
package struct SyntheticRecipients {
    /// Which shares of all rows a planner must exclude: from 0 to 1, together at most 1.
    package struct ExcludedShares: Sendable {
        package var invalid: Double
        package var duplicates: Double
        /// Rows without an address.
        package var missing: Double

        package init(invalid: Double = 0.01, duplicates: Double = 0.01, missing: Double = 0.005) {
            self.invalid = invalid
            self.duplicates = duplicates
            self.missing = missing
        }

        package static let none = ExcludedShares(invalid: 0, duplicates: 0, missing: 0)
    }

    package struct Options: Sendable {
        package var count: Int
        package var seed: UInt64
        package var channel: Channel
        package var format: RecipientSource.Format
        package var excluded: ExcludedShares
        /// Which part of the rows has which domain; the others get the usual ones. Together at most 1.
        package var domains: [SyntheticDomainShare]

        package init(
            count: Int, seed: UInt64 = 1, channel: Channel = .email, format: RecipientSource.Format = .csv,
            excluded: ExcludedShares = ExcludedShares(), domains: [SyntheticDomainShare] = []
        ) {
            self.count = count
            self.seed = seed
            self.channel = channel
            self.format = format
            self.excluded = excluded
            self.domains = domains
        }
    }

    /// Rows written so far, by what a planner makes of them.
    package struct Counts: Sendable, Equatable {
        package internal(set) var valid = 0
        package internal(set) var invalid = 0
        package internal(set) var duplicates = 0
        package internal(set) var missing = 0

        package var all: Int { valid + invalid + duplicates + missing }
    }

    /// The columns, in their order.
    package let columns: [String]
    package private(set) var counts = Counts()

    private let options: Options
    private var generator: SeededGenerator
    private let writer: SyntheticWriter
    private let people: [SyntheticPeople]
    private let products: [[UInt8]]
    private let domains: [[UInt8]]
    /// Domains that were asked for, each with the end of its part of all 64-bit numbers; and where those parts begin for this seed.
    private let shares: [(end: UInt64, domain: [UInt8])]
    private let phase: UInt64
    /// The last valid addresses, in their normal form, from which duplicates are taken.
    private var recent: [[UInt8]] = []
    private var address: [UInt8] = []

    package init(_ options: Options) {
        self.options = options
        generator = SeededGenerator(seed: options.seed)
        let contact = options.channel == .sms ? "phone" : "email"
        columns = ["id", contact, "first_name", "last_name", "city", "product", "coupon", "language"]
        writer = SyntheticWriter(format: options.format, columns: columns)
        people = SyntheticNames.locales.map { [writer] in SyntheticPeople($0, writer) }
        products = SyntheticNames.products.map { [writer] in writer.encoded($0) }
        domains = SyntheticNames.domains.map { Array($0.utf8) }
        var sum = 0.0
        shares = options.domains.filter { $0.share > 0 }.map { one in
            sum += one.share
            let end = min(1, sum) * 0x1p64
            return (end < 0x1p64 ? UInt64(end) : .max, Array(one.domain.utf8))
        }
        var phases = SeededGenerator(seed: ~options.seed)
        phase = phases.next()
    }

    /// Appends the header; nothing for NDJSON.
    package func appendHeader(to out: inout [UInt8]) { writer.appendHeader(to: &out) }

    /// A text begins as a file of such rows does.
    package func hasColumns(of text: [UInt8]) -> Bool { writer.hasColumns(of: text) }

    /// Appends the next row; false, and nothing, behind the last.
    package mutating func appendRow(to out: inout [UInt8]) -> Bool {
        guard counts.all < options.count else { return false }
        let number = counts.all
        var dice = generator.next()
        func pick(_ count: Int) -> Int {
            let index = Int(dice % UInt64(count))
            dice /= UInt64(count)
            return index
        }
        let person = people[pick(people.count)]
        let first = pick(person.first.count)
        let last = pick(person.last.count)
        let city = pick(person.cities.count)
        let product = pick(products.count)
        let domain = pick(domains.count)
        makeAddress(number, person.firstPlain[first], person.lastPlain[last], wanted(number) ?? domains[domain])

        writer.begin(0, &out)
        writer.appendNumber(number + 1, &out)
        writer.begin(1, &out)
        writer.appendPlain(address, &out)
        for (column, value) in [
            (2, person.first[first]), (3, person.last[last]), (4, person.cities[city]), (5, products[product]),
        ] {
            writer.begin(column, &out)
            out.append(contentsOf: value)
        }
        writer.begin(6, &out)
        writer.appendCoupon(generator.next(), &out)
        writer.begin(7, &out)
        out.append(contentsOf: person.language)
        writer.endRow(&out)
        return true
    }

    /// Domains that rows have where no others are asked for, each as often as the others.
    package static var usualDomains: [String] { SyntheticNames.domains }

    /// The domain that was asked for, for a row. Rows go round by the golden ratio (Weyl's sequence), so that each domain has its part of
    /// every stretch of rows, to a row or two, and not only of all of them.
    private func wanted(_ number: Int) -> [UInt8]? {
        guard !shares.isEmpty else { return nil }
        let place = phase &+ UInt64(number) &* 0x9e37_79b9_7f4a_7c15
        return shares.first { place < $0.end || $0.end == .max }?.domain
    }

    /// Makes the row's address: valid, invalid, a duplicate or none, by a draw.
    private mutating func makeAddress(_ number: Int, _ first: [UInt8], _ last: [UInt8], _ domain: [UInt8]) {
        address.removeAll(keepingCapacity: true)
        let dice = generator.next()
        let fate = Double(dice >> 11) / Double(1 << 53)
        if fate < options.excluded.missing {
            counts.missing += 1
            return
        }
        if fate < options.excluded.missing + options.excluded.duplicates, !recent.isEmpty {
            counts.duplicates += 1
            address = recent[Int(dice % UInt64(recent.count))]
            disguise(dice)
            return
        }
        let isInvalid =
            fate >= options.excluded.missing + options.excluded.duplicates
            && fate < options.excluded.missing + options.excluded.duplicates + options.excluded.invalid
        if options.channel == .sms {
            SyntheticPhone.append(number, to: &address)
        } else {
            appendMail(number, first, last, domain)
        }
        if isInvalid {
            counts.invalid += 1
            spoil(dice)
            return
        }
        counts.valid += 1
        if recent.count < 512 { recent.append(address) } else { recent[number & 511] = address }
        if options.channel == .sms { SyntheticPhone.decorate(&address, dice) }
    }

    private mutating func appendMail(_ number: Int, _ first: [UInt8], _ last: [UInt8], _ domain: [UInt8]) {
        address.append(contentsOf: first)
        address.append(UInt8(ascii: "."))
        address.append(contentsOf: last)
        // The row's number makes the address unique.
        writer.appendNumber(number + 1, &address)
        address.append(UInt8(ascii: "@"))
        address.append(contentsOf: domain)
    }

    /// Writes the same address in another way: case, spaces, punctuation.
    private mutating func disguise(_ dice: UInt64) {
        if options.channel == .sms {
            SyntheticPhone.decorate(&address, dice)
        } else if dice & 3 == 0 {
            for index in address.indices where UInt8(ascii: "a")...UInt8(ascii: "z") ~= address[index] {
                address[index] &= 0xdf
            }
        } else if dice & 3 == 1 {
            address.append(UInt8(ascii: " "))
        }
    }

    /// Makes an invalid address, of one of the usual kinds.
    private mutating func spoil(_ dice: UInt64) {
        if options.channel == .sms {
            switch dice % 3 {
            case 0: address.removeSubrange(6...)
            case 1: address[address.count - 1] = UInt8(ascii: "O")
            default:
                address.append(contentsOf: [UInt8](repeating: UInt8(ascii: "5"), count: 16 - min(8, address.count - 8)))
            }
            return
        }
        let at = address.firstIndex(of: UInt8(ascii: "@")) ?? 0
        switch dice % 6 {
        case 0: address.remove(at: at)
        case 1: address.insert(UInt8(ascii: "@"), at: at)
        case 2: address.removeSubrange((at + 1)...)
        case 3: address[at - 1] = UInt8(ascii: " ")
        case 4: address.removeSubrange(..<at)
        default: address.insert(UInt8(ascii: "."), at: at)
        }
    }
}

/// A locale's words, as they go into the file.
struct SyntheticPeople {
    let language: [UInt8]
    let first: [[UInt8]]
    let last: [[UInt8]]
    let cities: [[UInt8]]
    let firstPlain: [[UInt8]]
    let lastPlain: [[UInt8]]

    init(_ locale: SyntheticNames.Locale, _ writer: SyntheticWriter) {
        language = writer.encoded(locale.language)
        first = locale.first.map { writer.encoded($0.written) }
        last = locale.last.map { writer.encoded($0.written) }
        cities = locale.cities.map { writer.encoded($0) }
        firstPlain = locale.first.map { Array($0.plain.utf8) }
        lastPlain = locale.last.map { Array($0.plain.utf8) }
    }
}
