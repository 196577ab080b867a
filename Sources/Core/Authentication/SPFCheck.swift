/// Judges an address by a domain's record of SPF, as receivers do (RFC 7208 section 4).
package struct SPFCheck: Sendable {
    package enum Result: String, Sendable, Equatable {
        case none, neutral, pass, fail
        case softFail = "softfail"
        case temporaryError = "temperror"
        case permanentError = "permerror"
    }

    /// Look-ups at most, those that find nothing, and names of one mechanism (section 4.6.4).
    package static let mostLookups = 10
    package static let mostVoid = 2
    private static let mostNames = 10

    private let lookup: any NameLookup
    private let address: SenderAddress?
    private let sender: String
    private let helo: String
    /// Terms that ask DNS, so far.
    package private(set) var lookups = 0
    /// Questions of these without an answer.
    package private(set) var void = 0
    /// Why the result is an error; nil where it is none.
    package private(set) var problem: String?

    /// - Parameters:
    ///   - address: nil follows every term up to `all`, as for an address that none of them holds.
    ///   - sender: of the envelope, `postmaster@example.com`.
    package init(_ lookup: any NameLookup, address: SenderAddress?, sender: String, helo: String) {
        self.lookup = lookup
        self.address = address
        self.sender = sender
        self.helo = helo
    }

    /// The records of SPF at a domain; more than one is an error.
    package static func records(_ domain: String, _ lookup: any NameLookup) async -> NameAnswer {
        let answer = await lookup.answer(domain, .text)
        guard case .records(let texts) = answer else { return answer }
        let records = texts.filter(SPFRecord.isRecord)
        return records.isEmpty ? .none : .records(records)
    }

    /// Judges a domain. Each further domain costs a look-up, which bounds how deep this goes.
    package mutating func run(_ domain: String) async -> Result {
        switch await Self.records(domain, lookup) {
        case .none: return .none
        case .failed(let why): return broken(.temporaryError, "\(domain): \(why)")
        case .records(let texts):
            guard texts.count == 1 else { return broken(.permanentError, "\(domain) has \(texts.count) records") }
            do throws(SPFSyntaxError) { return await run(try SPFRecord(texts[0]), of: domain) } catch {
                return broken(.permanentError, "\(domain) has '\(error.term.prefix(100))', which is no term of SPF")
            }
        }
    }

    private mutating func run(_ record: SPFRecord, of domain: String) async -> Result {
        for directive in record.directives {
            switch await matches(directive, domain) {
            case .match:
                switch directive.qualifier {
                case .pass: return .pass
                case .fail: return .fail
                case .softFail: return .softFail
                case .neutral: return .neutral
                }
            case .noMatch: continue
            case .broken(let result): return result
            }
        }
        guard let redirect = record.redirect else { return .neutral }
        if let result = count(domain) { return result }
        let target = expand(redirect, domain)
        let result = await run(target)
        return result == .none ? broken(.permanentError, "\(domain) redirects to \(target), which has no record") : result
    }

    private enum Match {
        case match, noMatch
        case broken(Result)
    }

    private mutating func matches(_ directive: SPFRecord.Directive, _ domain: String) async -> Match {
        if directive.mechanism.asks, let result = count(domain) { return .broken(result) }
        let target = directive.target.map { expand($0, domain) } ?? domain
        switch directive.mechanism {
        case .all: return .match
        case .ip4, .ip6:
            let bits = directive.mechanism == .ip4 ? directive.bits4 : directive.bits6
            return address?.isIn(directive.target ?? "", bits: bits) == true ? .match : .noMatch
        case .include: return await included(target, by: domain)
        case .exists: return await ask(target, .address4) { [address] in !$0.isEmpty && address != nil }
        case .a: return await holds([target], directive)
        case .mx:
            let answer = await lookup.answer(target, .mailExchanger)
            guard case .records(let records) = answer else { return empty(answer, target) }
            guard records.count <= Self.mostNames else {
                return .broken(broken(.permanentError, "\(target) has more than \(Self.mostNames) mail exchangers"))
            }
            return await holds(records.compactMap { $0.split(separator: " ").last.map(String.init) }, directive)
        case .ptr: return await named(target)
        }
    }

    private mutating func included(_ target: String, by domain: String) async -> Match {
        switch await run(target) {
        case .pass: .match
        case .fail, .softFail, .neutral: .noMatch
        case .temporaryError: .broken(.temporaryError)
        case .permanentError: .broken(.permanentError)
        case .none: .broken(broken(.permanentError, "\(domain) includes \(target), which has no record"))
        }
    }

    /// Whether one of the names has the address.
    private mutating func holds(_ names: [String], _ directive: SPFRecord.Directive) async -> Match {
        for name in names where !name.isEmpty {
            let isVersion4 = address?.isVersion4 ?? true
            let found = await ask(name, isVersion4 ? .address4 : .address6) { [address] records in
                records.contains { address?.isIn($0, bits: isVersion4 ? directive.bits4 : directive.bits6) == true }
            }
            if case .noMatch = found { continue }
            return found
        }
        return .noMatch
    }

    /// Whether a confirmed name of the address lies under a domain (section 5.5). Errors count as no match.
    private mutating func named(_ target: String) async -> Match {
        guard let address else { return .noMatch }
        for name in await lookup.answer(address.pointerName, .pointer).records.prefix(Self.mostNames) {
            guard name == target || name.hasSuffix("." + target) else { continue }
            let forward = await lookup.answer(name, address.isVersion4 ? .address4 : .address6).records
            if forward.contains(where: { address.isIn($0, bits: nil) }) { return .match }
        }
        return .noMatch
    }

    private mutating func ask(_ name: String, _ kind: RecordKind, _ holds: ([String]) -> Bool) async -> Match {
        let answer = await lookup.answer(name, kind)
        guard case .records(let records) = answer else { return empty(answer, name) }
        return holds(records) ? .match : .noMatch
    }

    private mutating func empty(_ answer: NameAnswer, _ name: String) -> Match {
        if case .failed(let why) = answer { return .broken(broken(.temporaryError, "\(name): \(why)")) }
        void += 1
        guard void > Self.mostVoid else { return .noMatch }
        return .broken(broken(.permanentError, "more than \(Self.mostVoid) look-ups find nothing, the last one \(name)"))
    }

    private mutating func count(_ domain: String) -> Result? {
        lookups += 1
        guard lookups > Self.mostLookups else { return nil }
        return broken(.permanentError, "more than \(Self.mostLookups) look-ups, the last one for \(domain)")
    }

    private mutating func broken(_ result: Result, _ why: String) -> Result {
        problem = problem ?? why
        return result
    }

    private func expand(_ text: String, _ domain: String) -> String {
        SPFMacro.expand(text, SPFMacro.Values(sender: sender, domain: domain, helo: helo, address: address))
    }
}
