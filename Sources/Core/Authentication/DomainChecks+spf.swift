extension DomainChecks {
    private var why: String { "receivers judge the domain of the envelope by it, and DMARC needs SPF or DKIM" }

    /// The envelope's domain by RFC 7208.
    func spf() async -> [Finding] {
        let records: [String]
        switch await SPFCheck.records(envelope, lookup) {
        case .failed(let reason): return [.unknown("SPF", "\(envelope): \(reason)")]
        case .none:
            return [
                .fault(
                    "SPF", "\(envelope) has no record", why: why,
                    do: "publish a TXT record, as v=spf1 \(addresses.first.map { Self.term($0) } ?? "include:PROVIDER") -all")
            ]
        case .records(let found): records = found
        }
        guard records.count == 1 else {
            return [.fault("SPF", "\(envelope) has \(records.count) records", why: why, do: "make one record of them")]
        }
        // The longest way that a receiver may take through the record.
        var whole = SPFCheck(lookup, address: nil, sender: sender, helo: helo)
        let end = await whole.run(envelope)
        return shape(end, whole) + warnings(records[0], end) + (await judged())
    }

    private var sender: String { "postmaster@\(envelope)" }

    private func shape(_ end: SPFCheck.Result, _ check: SPFCheck) -> [Finding] {
        switch end {
        case .permanentError:
            return [
                .fault(
                    "SPF", check.problem ?? "the record is wrong", why: why,
                    do: "correct the record; each include, a, mx, ptr, exists and redirect is a look-up, and ten are allowed")
            ]
        case .temporaryError: return [.unknown("SPF", check.problem ?? "a look-up failed")]
        default: break
        }
        let count = "\(check.lookups) of \(SPFCheck.mostLookups) look-ups"
        guard check.lookups < SPFCheck.mostLookups - 1 else {
            return [
                .warning(
                    "SPF", "the record takes \(count)", why: "one more at an included domain, and it passes for nobody",
                    do: "remove what no longer sends")
            ]
        }
        return [.ok("SPF", "\(envelope) has a record, which takes \(count)")]
    }

    private func warnings(_ text: String, _ end: SPFCheck.Result) -> [Finding] {
        var findings: [Finding] = []
        if end == .pass {
            findings.append(
                .fault("SPF", "the record lets every address pass", why: "anybody can send as \(envelope)", do: "end it with -all or ~all"))
        } else if end == .neutral {
            findings.append(
                .warning("SPF", "the record says nothing of other addresses", why: "it protects nobody", do: "end it with -all or ~all"))
        }
        if text.utf8.count > 450 {
            findings.append(
                .warning(
                    "SPF", "the record has \(text.utf8.count) bytes", why: "an answer that does not fit into a packet may be lost",
                    do: "keep it under 450 bytes (RFC 7208 section 3.4)"))
        }
        let terms = (try? SPFRecord(text))?.directives ?? []
        if terms.contains(where: { $0.mechanism == .ptr }) {
            findings.append(
                .warning("SPF", "the record has ptr", why: "receivers may skip it (RFC 7208 section 5.5)", do: "name addresses"))
        }
        return findings
    }

    private func judged() async -> [Finding] {
        if addresses.isEmpty { return [.ok("SPF", "no address was judged: --ip names those that send")] }
        var findings: [Finding] = []
        for address in addresses {
            var check = SPFCheck(lookup, address: address, sender: sender, helo: helo)
            let result = await check.run(envelope)
            switch result {
            case .pass: findings.append(.ok("SPF", "\(address.text) passes"))
            case .temporaryError: findings.append(.unknown("SPF", "\(address.text): \(check.problem ?? "a look-up failed")"))
            default:
                let reason = check.problem.map { ": \($0)" } ?? ""
                findings.append(
                    .fault(
                        "SPF", "\(address.text) gets \(result.rawValue)\(reason)", why: why,
                        do: result == .permanentError
                            ? "correct the record" : "add \(Self.term(address)) to the record of \(envelope)"))
            }
        }
        return findings
    }

    private static func term(_ address: SenderAddress) -> String { "\(address.isVersion4 ? "ip4" : "ip6"):\(address.text)" }
}
