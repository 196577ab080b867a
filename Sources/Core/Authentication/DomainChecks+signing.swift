import Signing

extension DomainChecks {
    /// The keys that sign for the domain: its own, or those of the nearest domain above.
    private var signing: [DKIMKey] {
        var labels = domain.split(separator: ".")
        while labels.count >= 2 {
            let name = labels.joined(separator: ".")
            let found = keys.filter { $0.domain == name }
            if !found.isEmpty { return found }
            labels.removeFirst()
        }
        return []
    }

    // MARK: - DKIM

    func dkim() async -> [Finding] {
        guard !signing.isEmpty else {
            return [
                .warning(
                    "DKIM", "we have no key for \(domain)", why: "bulk mail without a signature is refused, unless a provider signs it",
                    do: "flotilla dkim generate \(domain), or have the provider sign as \(domain)")
            ]
        }
        var findings: [Finding] = []
        for key in signing { findings += await record(of: key) }
        return findings
    }

    private func record(of key: DKIMKey) async -> [Finding] {
        let name = "\(key.selector)._domainkey.\(key.domain)"
        let why = "receivers cannot verify what this key signs"
        var findings: [Finding] = []
        switch await lookup.answer(name, .text) {
        case .failed(let reason): return [.unknown("DKIM", "\(name): \(reason)")]
        case .none:
            return [.fault("DKIM", "\(name) has no record", why: why, do: "publish the record that flotilla dkim list prints")]
        case .records(let texts):
            guard texts.count == 1 else {
                return [.fault("DKIM", "\(name) has \(texts.count) records", why: why, do: "keep the one that flotilla dkim list prints")]
            }
            findings = DKIMRecord(texts[0]).problems(for: key).map { Self.finding($0, name, why) }
        }
        if key.algorithm == .rsa, key.bits < DKIMKey.recommendedBits {
            findings.append(
                .warning(
                    "DKIM", "\(name) has \(key.bits) bits", why: "\(DKIMKey.recommendedBits) are asked of senders today",
                    do: "flotilla dkim generate \(key.domain)"))
        }
        return findings.isEmpty ? [.ok("DKIM", "\(name) is our key (\(key.algorithm.rawValue), \(key.bits) bits)")] : findings
    }

    private static func finding(_ problem: DKIMRecord.Problem, _ name: String, _ why: String) -> Finding {
        let publish = "publish the record that flotilla dkim list prints"
        return switch problem {
        case .malformed: .fault("DKIM", "\(name) has a record that cannot be read", why: why, do: publish)
        case .revoked: .fault("DKIM", "\(name) is revoked (p= is empty)", why: why, do: "sign by another key, or \(publish)")
        case .otherKey: .fault("DKIM", "\(name) has another key than ours", why: why, do: publish)
        case .otherAlgorithm: .fault("DKIM", "\(name) does not allow this key's algorithm (k= or h=)", why: why, do: publish)
        case .otherService: .fault("DKIM", "\(name) is not for e-mail (s=)", why: why, do: publish)
        case .testing:
            .warning(
                "DKIM", "\(name) is in test mode (t=y)", why: "receivers may take signed mail for unsigned mail", do: "remove t=y")
        }
    }

    // MARK: - DMARC

    func dmarc() async -> [Finding] {
        let tree = await DMARCTree.walk(domain, lookup)
        var findings = tree.unusable.map {
            Finding.fault(
                "DMARC", "_dmarc.\($0) has several records, or one that cannot be used", why: "receivers take them for none",
                do: "publish one record, as v=DMARC1; p=none; rua=mailto:dmarc@\(domain)")
        }
        // What is below a silent name is known all the same.
        if let failure = tree.failure { findings.append(.unknown("DMARC", failure)) }
        guard let policy = tree.policy else {
            guard findings.isEmpty else { return findings }
            return [
                .fault(
                    "DMARC", "neither \(domain) nor a domain above it has a record",
                    why: "Gmail, Yahoo and Microsoft refuse bulk mail without one",
                    do: "publish _dmarc.\(domain) TXT v=DMARC1; p=none; rua=mailto:dmarc@\(domain)")
            ]
        }
        findings += Self.policy(policy, of: domain)
        return findings + (await alignment(tree, policy.record))
    }

    private static func policy(_ found: DMARCTree.Found, of domain: String) -> [Finding] {
        let record = found.record
        let applied = found.domain == domain ? record.policy : record.subdomainPolicy ?? record.policy
        var findings = [Finding.ok("DMARC", "_dmarc.\(found.domain) asks for \(applied.rawValue)\(record.isTesting ? ", as a test" : "")")]
        if applied == .none {
            findings.append(
                .warning(
                    "DMARC", "the policy is none", why: "it is enough for bulk mail, and stops nobody who forges the domain",
                    do: "read the reports, and go to quarantine and reject"))
        }
        if !record.hasReports {
            findings.append(
                .warning("DMARC", "there are no reports (rua=)", why: "nobody learns who sends as the domain", do: "add rua=mailto:ADDRESS")
            )
        }
        if !record.historic.isEmpty {
            findings.append(
                .warning(
                    "DMARC", "the record has \(record.historic.map { "\($0)=" }.joined(separator: ", "))",
                    why: "RFC 9989 has no such tags, and receivers differ", do: "remove them; t=y is a test"))
        }
        return findings
    }

    /// Whether what SPF and DKIM prove speaks for the From domain.
    private func alignment(_ tree: DMARCTree, _ record: DMARCRecord) async -> [Finding] {
        let other = await DMARCTree.walk(envelope, lookup)
        let bySPF = tree.isAligned(domain, with: other, proven: envelope, isStrict: record.isStrictSPF)
        var byDKIM = false
        if let signer = signing.first?.domain {
            byDKIM = tree.isAligned(domain, with: await DMARCTree.walk(signer, lookup), proven: signer, isStrict: record.isStrictDKIM)
        }
        let why = "DMARC passes only where SPF or DKIM has proven a domain that is aligned with From"
        guard bySPF || byDKIM else {
            return [
                .fault(
                    "DMARC", "neither the envelope's \(envelope) nor a key of ours is aligned with \(domain)", why: why,
                    do: "sign as \(domain) (flotilla dkim generate), or send from a return path under \(tree.organization)")
            ]
        }
        let ways = [bySPF ? "SPF by \(envelope)" : nil, byDKIM ? "DKIM" : nil].compactMap { $0 }.joined(separator: " and ")
        guard byDKIM else {
            return [.warning("DMARC", "aligned are \(ways), and not DKIM", why: "a forwarded message fails then", do: "sign as \(domain)")]
        }
        return [.ok("DMARC", "aligned are \(ways)")]
    }
}
