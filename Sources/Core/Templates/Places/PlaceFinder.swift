/// Finds out where each value of a template stands: a machine follows every way through its sections.
///
/// Two sections of one name, one inverted and the other not, are the two branches of a choice when nothing stands between them.
struct PlaceFinder<Machine: PlaceMachine> {
    private let tokens: [TemplateToken]
    private let repeats: (String) -> Bool
    /// The end of a section, by its begin and the other way round; nil where it has none.
    private var partner: [Int?]
    /// The machines that reach a token.
    private var reached: [Set<Machine>]
    private var open: [(index: Int, machine: Machine)] = []
    /// Ways that differ at one place, at most; templates have one or two.
    private static var mostWays: Int { 32 }

    /// - Parameter repeats: whether a section of that name may be written several times.
    private init(_ tokens: [TemplateToken], repeats: @escaping (String) -> Bool) {
        self.tokens = tokens
        self.repeats = repeats
        partner = Self.partners(of: tokens)
        reached = Array(repeating: [], count: tokens.count + 1)
    }

    /// The tokens with the places of their values.
    /// - Returns: also the values that cannot be escaped, by their indexes.
    static func mark(
        _ tokens: [TemplateToken], repeats: @escaping (String) -> Bool
    ) -> (tokens: [TemplateToken], refused: [(index: Int, why: PlaceRefusal)]) {
        var finder = PlaceFinder(tokens, repeats: repeats)
        finder.run()
        let framed = tokens.indices.flatMap { finder.framed($0) }
        if framed.count > tokens.count { return mark(framed, repeats: repeats) }
        var marked = tokens
        var refused: [(index: Int, why: PlaceRefusal)] = []
        for (index, token) in tokens.enumerated() {
            guard case .variable = token.kind else { continue }
            let places = Set(finder.reached[index].map(\.place))
            if let place = places.first { marked[index].place = place }
            if places.count > 1 || finder.reached[index].count > Self.mostWays {
                refused.append((index, .ambiguous))
            } else if let why = finder.reached[index].lazy.compactMap(\.refusal).first {
                refused.append((index, why))
            }
        }
        return (marked, refused)
    }

    /// A value by itself that has to be in quotes, and is not.
    private func isBare(_ index: Int) -> Bool {
        guard case .variable = tokens[index].kind, !reached[index].isEmpty, reached[index].allSatisfy(\.needsQuotes) else { return false }
        guard index + 1 < tokens.count, case .text(let next) = tokens[index + 1].kind, let first = next.first else { return false }
        return first <= 0x20 || first == UInt8(ascii: ">")
    }

    /// A token with what has to stand around it.
    private func framed(_ index: Int) -> [TemplateToken] {
        let token = tokens[index]
        func text(_ bytes: StaticString) -> TemplateToken {
            TemplateToken(.text(Array(UnsafeBufferPointer(start: bytes.utf8Start, count: bytes.utf8CodeUnitCount))), at: token.offset)
        }
        if isBare(index) { return [text("\""), token, text("\"")] }
        guard case .variable(_, escaped: true) = token.kind, Set(reached[index].map(\.place)).count == 1,
            let separator = reached[index].lazy.compactMap(\.separator).first
        else { return [token] }
        return [text(separator), token]
    }

    private mutating func run() {
        enter(0, Machine())
        while let (index, machine) = open.popLast() {
            guard index < tokens.count else { continue }
            var next = machine
            switch tokens[index].kind {
            case .text(let bytes): next.advance(bytes)
            case .variable: next.advanceValue()
            case .open, .close, .link: break
            }
            for successor in successors(of: index) { enter(successor, next) }
        }
    }

    private mutating func enter(_ index: Int, _ machine: Machine) {
        guard reached[index].count <= Self.mostWays, reached[index].insert(machine).inserted else { return }
        open.append((index, machine))
    }

    /// The tokens that may come behind a token.
    private func successors(of index: Int) -> [Int] {
        guard let other = partner[index] else { return [index + 1] }
        switch tokens[index].kind {
        case .open:
            // Skipped, it leads into the other branch of its choice, where it has one.
            return [index + 1, alternative(behind: other) == nil ? other + 1 : other + 2]
        case .close(let name):
            let behind = alternative(behind: index).map { $0 + 1 } ?? index + 1
            return repeats(name) && !isInverted(other) ? [behind, other + 1] : [behind]
        case .text, .variable, .link: return [index + 1]
        }
    }

    /// The end of the other branch, where a section that ends at an index has one.
    private func alternative(behind end: Int) -> Int? {
        guard end + 1 < tokens.count, let begin = partner[end], let otherEnd = partner[end + 1],
            case .open(let name, let inverted) = tokens[begin].kind,
            case .open(name, !inverted) = tokens[end + 1].kind
        else { return nil }
        return otherEnd
    }

    private func isInverted(_ index: Int) -> Bool {
        if case .open(_, inverted: true) = tokens[index].kind { true } else { false }
    }

    private static func partners(of tokens: [TemplateToken]) -> [Int?] {
        var partner = [Int?](repeating: nil, count: tokens.count)
        var open: [(name: String, index: Int)] = []
        for (index, token) in tokens.enumerated() {
            switch token.kind {
            case .open(let name, _): open.append((name, index))
            case .close(let name):
                // What is not well nested is reported by the compiler.
                guard let place = open.lastIndex(where: { $0.name == name }) else { continue }
                (partner[open[place].index], partner[index]) = (index, open[place].index)
                open.removeSubrange(place...)
            case .text, .variable, .link: break
            }
        }
        return partner
    }
}

extension [TemplateToken] {
    /// The tokens of a template in a language, with the places of their values.
    /// - Parameter problems: gets the values that cannot be escaped where they stand.
    func placed(
        in language: Escaping, of source: TemplateSource, fields: FieldNames, _ problems: inout [TemplateError.Problem]
    ) -> [TemplateToken] {
        let repeats = { (name: String) in fields.mayRepeat(name) }
        let (tokens, refused) =
            switch language {
            case .html: PlaceFinder<HTMLPlace>.mark(self, repeats: repeats)
            case .json: PlaceFinder<JSONPlace>.mark(self, repeats: repeats)
            case .xml: PlaceFinder<XMLPlace>.mark(self, repeats: repeats)
            case .form: PlaceFinder<FormPlace>.mark(self, repeats: repeats)
            case .headerField: PlaceFinder<HeaderPlace>.mark(self, repeats: repeats)
            case .none, .header: (self, [])
            }
        for (index, why) in refused {
            guard problems.count < TemplateError.most, case .variable(let name, escaped: true) = tokens[index].kind else { continue }
            problems.append(
                source.problem(
                    at: tokens[index].offset, why.what.replacing("{{}}", with: "{{\(name)}}"),
                    why.remedy.replacing("{{{}}}", with: "{{{\(name)}}}")))
        }
        return tokens
    }
}

extension PlaceRefusal {
    fileprivate static let ambiguous = PlaceRefusal(
        what: "the place of '{{}}' depends on a section before it, and so does its escaping",
        remedy: "write the whole attribute, link or string inside of the section, once for each case")
}
