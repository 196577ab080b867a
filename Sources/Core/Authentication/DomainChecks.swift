package import Signing

/// Whether mailbox providers can tell that mail of a domain is the domain's own. Nothing is asked but DNS.
package struct DomainChecks: Sendable {
    let lookup: any NameLookup
    /// Of the From header, in lower case.
    let domain: String
    /// Of the envelope sender, which SPF judges.
    let envelope: String
    /// From which mail is sent.
    let addresses: [SenderAddress]
    /// Our name in EHLO.
    let helo: String
    let keys: [DKIMKey]
    let blockLists: [String]

    package init(
        lookup: any NameLookup, domain: String, envelope: String, addresses: [SenderAddress], helo: String, keys: [DKIMKey],
        blockLists: [String]
    ) {
        self.lookup = lookup
        self.domain = domain
        self.envelope = envelope
        self.addresses = addresses
        self.helo = helo
        self.keys = keys
        self.blockLists = blockLists
    }

    package var all: [Check] {
        [Check { await spf() }, Check { await dkim() }, Check { await dmarc() }, Check { await mx() }]
            + addresses.map { address in Check { await pointer(address) } } + [Check { await bimi() }]
            + addresses.flatMap { address in blockLists.map { list in Check { await listed(address, list) } } }
    }

    // MARK: - Who takes bounces and replies

    func mx() async -> [Finding] {
        var findings: [Finding] = []
        for name in envelope == domain ? [domain] : [domain, envelope] { findings += await exchangers(of: name) }
        return findings
    }

    private func exchangers(of name: String) async -> [Finding] {
        let (why, advice) = ("bounces and replies come there, and receivers refuse senders that take no mail", "publish an MX record")
        switch await lookup.answer(name, .mailExchanger) {
        case .failed(let reason): return [.unknown("MX", "\(name): \(reason)")]
        case .none:
            // The name itself takes mail then (RFC 5321 section 5.1).
            guard case .records = await lookup.addresses(name) else {
                return [.fault("MX", "\(name) has neither an MX record nor an address", why: why, do: advice)]
            }
            return [.warning("MX", "\(name) has no MX record, and an address", why: why, do: advice)]
        case .records(let records):
            let hosts = records.compactMap {
                $0.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).last.map(String.init)
            }
            if hosts.allSatisfy(\.isEmpty) { return [.fault("MX", "\(name) says that it takes no mail (RFC 7505)", why: why, do: advice)] }
            var findings: [Finding] = []
            for host in hosts.prefix(10) where await lookup.addresses(host) == .none {
                findings.append(
                    .fault("MX", "\(name) has the mail exchanger \(host), which has no address", why: why, do: "correct the name"))
            }
            return findings.isEmpty ? [.ok("MX", "\(name): \(hosts.prefix(10).joined(separator: ", "))")] : findings
        }
    }

    // MARK: - The address that sends

    /// A name that leads back to the address (RFC 8601 section 2.7.3, `iprev`).
    func pointer(_ address: SenderAddress) async -> [Finding] {
        let why = "Gmail and others refuse mail from an address without a name that leads back to it"
        switch await lookup.answer(address.pointerName, .pointer) {
        case .failed(let reason): return [.unknown("PTR", "\(address.text): \(reason)")]
        case .none:
            return [
                .fault("PTR", "\(address.text) has no name", why: why, do: "have the owner of the network publish a PTR record, as \(helo)")
            ]
        case .records(let names):
            for name in names.prefix(10) {
                guard await lookup.answer(name, address.isVersion4 ? .address4 : .address6).records.contains(where: address.isSame) else {
                    continue
                }
                if name == helo.lowercased() { return [.ok("PTR", "\(address.text) is \(name), and \(name) has the address")] }
                return [
                    .ok("PTR", "\(address.text) is \(name), and \(name) has the address"),
                    .warning(
                        "PTR", "we say \(helo) in EHLO, and not \(name)", why: "some receivers count it against a sender",
                        do: "set email.hostname to \(name) where workers speak to mailbox providers themselves"),
                ]
            }
            return [
                .fault(
                    "PTR", "\(address.text) is \(names[0]), and that name does not have the address", why: why,
                    do: "publish the address at \(names[0]), or change the PTR record")
            ]
        }
    }

    /// Whether a block list has the address (RFC 5782 section 2.1).
    func listed(_ address: SenderAddress, _ list: String) async -> [Finding] {
        let answer = await lookup.answer(address.labels.reversed().joined(separator: ".") + "." + list, .address4)
        switch answer {
        case .none: return [.ok("block list", "\(list) does not list \(address.text)")]
        case .failed(let reason): return [.unknown("block list", "\(list): \(reason)")]
        case .records(let codes):
            // 127.255.255.0/24 says that the question was refused; what is no 127.0.0.0/8 is no answer of a list.
            guard codes.allSatisfy({ $0.hasPrefix("127.") && !$0.hasPrefix("127.255.255.") }) else {
                return [.unknown("block list", "\(list) does not answer this server of DNS (\(codes[0]))")]
            }
            return [
                .fault(
                    "block list", "\(list) lists \(address.text) (\(codes.prefix(5).joined(separator: ", ")))",
                    why: "receivers that use the list refuse the mail",
                    do: "find the reason at the list's pages, end it, and ask for removal")
            ]
        }
    }

    // MARK: - The logo

    func bimi() async -> [Finding] {
        switch await lookup.answer("default._bimi.\(domain)", .text) {
        case .failed(let reason): return [.unknown("BIMI", reason)]
        case .none: return [.ok("BIMI", "\(domain) shows no logo; that is optional")]
        case .records(let texts):
            let records = texts.map { TagList($0) }.filter { $0["v"]?.lowercased() == "bimi1" }
            guard records.count == 1, let logo = records[0]["l"], logo.isEmpty || logo.lowercased().hasPrefix("https://") else {
                return [
                    .warning(
                        "BIMI", "the record at default._bimi.\(domain) cannot be used", why: "mailbox providers show no logo",
                        do: "publish one record v=BIMI1 with l= and the https:// address of an SVG file")
                ]
            }
            let policy = await DMARCTree.walk(domain, lookup).policy?.record.policy ?? .none
            guard policy != .none || logo.isEmpty else {
                return [
                    .warning(
                        "BIMI", "there is a logo, and DMARC has p=none", why: "mailbox providers show a logo only under a policy",
                        do: "publish p=quarantine or p=reject")
                ]
            }
            return [.ok("BIMI", logo.isEmpty ? "\(domain) declines a logo" : "the logo is \(logo.prefix(300))")]
        }
    }
}
