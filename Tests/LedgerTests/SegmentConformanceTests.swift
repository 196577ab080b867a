import Customers
import Ledger
import Model
import TestServers
import Testing

/// Segments, on both engines.
@Suite struct SegmentConformanceTests {
    private static let now: Int64 = 1_800_000_000_000
    private static let day: Int64 = 86_400_000

    private func open(_ engine: Engine, _ folder: TemporaryFolder) async throws -> any OpenLedger {
        let ledger = try #require(try await engine.open(folder) as? any OpenLedger)
        for (name, type) in [("city", .text), ("age", .number), ("born", .date), ("vip", .boolean), ("likes", .list)]
            as [(String, AttributeType)]
        {
            _ = try await ledger.addAttribute(name, type, note: nil, now: 1)
        }
        return ledger
    }

    private func section(_ values: [String: SegmentDefinition]) -> SegmentDefinition { .section(values) }

    /// A condition from words: `attribute=age at_least=18`; a comma parts the elements of a list.
    private func condition(_ words: String) -> SegmentDefinition {
        var values: [String: SegmentDefinition] = [:]
        for word in words.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            let items = parts[1].split(separator: ",").map { SegmentDefinition.text(String($0)) }
            values[parts[0]] = items.count == 1 ? items[0] : .list(items)
        }
        return .section(values)
    }

    /// Every condition and operator, with values that some have and some have not.
    private var conditions: [SegmentDefinition] {
        let fields = ["city", "age", "born", "vip", "likes", "language", "time_zone", "main_channel", "tags", "status"]
        let known = fields.flatMap { ["attribute=\($0) is_known=true", "attribute=\($0) is_unknown=true"] }
        let words = [
            "attribute=city equals=Bonn", "attribute=city is_not=Bonn", "attribute=city one_of=Bonn,Ulm,Zürich",
            "attribute=city contains=on",
            "attribute=city contains=%", "attribute=city starts_with=Zü", "attribute=city starts_with=zü", "attribute=id one_of=c1,c2,x",
            "attribute=age equals=20", "attribute=age is_not=20", "attribute=age one_of=0,20.5,30", "attribute=age at_least=20",
            "attribute=age at_most=-1", "attribute=age between=0,25", "attribute=age between=25,0",
            "attribute=born equals=2027-01-05", "attribute=born at_least=2027-01-01", "attribute=born at_most=2027-01-01",
            "attribute=born between=2027-01-01,2027-01-10", "attribute=born within_last=7", "attribute=born before_last=7",
            "attribute=vip equals=yes", "attribute=vip equals=false", "attribute=vip is_not=true",
            "attribute=likes contains=a", "attribute=likes contains=ab", "attribute=tags contains=new",
            "attribute=status equals=enabled", "attribute=status one_of=disabled,blocked", "attribute=language starts_with=de",
            "attribute=main_channel equals=sms", "attribute=time_zone is_not=Europe/Berlin", "attribute=created within_last=1",
            "address=email", "address=email is=any", "address=sms", "consent=email", "consent=email state=unsubscribed",
            "consent=email category=news", "consent=sms state=unconfirmed", "customers=c1,c3,nobody", "segment=old",
            "events=count name=open", "events=count name=open at_least=2", "events=count name=open at_most=1",
            "events=count name=open equals=0",
            "events=count name=open within_last=7 at_least=2", "events=count name=open within_last=7 at_most=0", "events=count name=never",
            "events=count name=open at_least=0", "events=first name=open within_last=7", "events=first name=open before_last=7",
            "events=last name=open within_last=7", "events=last name=open before_last=7",
            "orders=count at_least=2", "orders=count equals=0", "orders=count product=shoe", "orders=count product=shoe,hat at_least=2",
            "orders=count product=shoe within_last=7 at_most=1", "orders=sum currency=EUR at_least=20", "orders=sum currency=EUR at_most=0",
            "orders=sum currency=EUR equals=0", "orders=sum currency=USD at_least=-5", "orders=sum currency=EUR product=shoe at_least=10",
            "orders=sum currency=EUR product=shoe,hat within_last=7 at_most=10", "orders=first within_last=7", "orders=last before_last=7",
            "orders=last product=hat within_last=30", "orders=first product=shoe before_last=3",
        ]
        return (known + words).map(condition)
    }

    private func people(_ generator: inout SeededGenerator) -> [Person] {
        (0..<80).map { number in
            func pick<Value>(_ values: [Value]) -> Value? {
                Int.random(in: 0..<3, using: &generator) == 0 ? nil : values.randomElement(using: &generator)
            }
            func time() -> Int64 { Self.now + Int64.random(in: -20...2, using: &generator) * Self.day + (pick([-1, 0, 1]) ?? 0) }
            var person = Person(change: CustomerChange(id: "c\(number)"))
            person.change.status = pick(CustomerStatus.allCases)
            person.change.language = pick(["de", "de-CH", "en"])
            person.change.timeZone = pick(["Europe/Berlin", "UTC"])
            person.change.mainChannel = pick([.sms, .email])
            person.change.tags = pick([[], ["new"], ["new", "old"], ["newer"]])
            person.change.attributes[1] = pick(["Bonn", "Ulm", "Zürich", "London", "100 %"]).map { .text($0) }
            person.change.attributes[2] = pick([-1, 0, 20, 20.5, 30]).map { .number(Int64($0 * 1_000_000)) }
            person.change.attributes[3] = .date(time())
            if pick([0]) == nil { person.change.attributes[3] = nil }
            person.change.attributes[4] = pick([true, false]).map { .boolean($0) }
            person.change.attributes[5] = pick([["a"], ["ab"], ["a", "b"], ["b"]]).map { .list($0) }
            for channel in [Channel.email, .sms] {
                guard let isValid = pick([true, true, false]) else { continue }
                let address = CustomerAddress(address: "\(number)", key: "\(number)", isValid: isValid)
                person.change.addresses[channel] = [address, CustomerAddress(address: "x\(number)", key: "x\(number)", isValid: false)]
            }
            for key in [SubscriptionKey(.email), SubscriptionKey(.email, category: "news"), SubscriptionKey(.sms)] {
                if let state = pick(Subscription.State.allCases) { person.change.subscriptions[key] = state }
            }
            for place in 0..<Int.random(in: 0...4, using: &generator) {
                let name = pick(["close"]) ?? "open"
                person.events.append(CustomerEvent(customer: person.id, name: name, at: time(), key: "\(number).\(place)"))
            }
            for place in 0..<Int.random(in: 0...3, using: &generator) {
                let lines = (pick([["shoe"], ["hat"], ["shoe", "shoe", "hat"]]) ?? []).map { product in
                    CustomerOrder.Line(
                        product: product, quantity: 1_000_000, amount: Int64.random(in: -1...15, using: &generator) * 1_000_000)
                }
                person.orders.append(
                    CustomerOrder(
                        customer: person.id, key: "\(number).\(place)", at: time(),
                        amount: Int64.random(in: -5...20, using: &generator) * 1_000_000,
                        currency: pick(["USD"]) ?? "EUR", lines: lines))
            }
            return person
        }
    }

    private func members(_ definition: SegmentDefinition, _ ledger: any OpenLedger, limit: Int = 1000) async throws -> [String] {
        var page = SegmentPage(last: 0)
        var found: [String] = []
        while !page.isEnd {
            page = try await ledger.members(of: definition, after: page.last, limit: limit, now: Self.now)
            found += page.members
        }
        return found
    }

    @Test(arguments: Engine.all) func membersAndNonMembersAreAllCustomers(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        var generator = SeededGenerator(seed: 14)
        let people = people(&generator)
        let created = Self.now - Self.day / 2
        _ = try await ledger.store(people.map(\.change), source: "f", proof: "", audit: nil, now: created)
        _ = try await ledger.store(people.flatMap(\.events), audit: nil, now: created)
        _ = try await ledger.store(people.flatMap(\.orders), audit: nil, now: created)
        let old = StoredSegment(name: "old", owner: "ann", definition: condition("attribute=age at_least=20"))
        try await ledger.save(old, replaces: false, note: nil, now: created)
        let evaluator = SegmentEvaluator(catalogue: try await ledger.segmentCatalogue(), now: Self.now, created: created)

        let leaves = conditions
        var definitions = leaves
        for _ in 0..<25 { definitions.append(tree(leaves, levels: Int.random(in: 1...4, using: &generator), &generator)) }
        for definition in definitions {
            let wanted = try people.filter { try evaluator.holds(definition, $0) }.map(\.id)
            let found = try await members(definition, ledger)
            #expect(found == wanted, "\(definition)")
            #expect(try await ledger.count(of: definition, now: Self.now) == wanted.count, "\(definition)")
            let others = try await members(section(["none": .list([definition])]), ledger, limit: 7)
            #expect(Set(others).isDisjoint(with: found) && found.count + others.count == people.count, "\(definition)")
        }
    }

    private func tree(_ leaves: [SegmentDefinition], levels: Int, _ generator: inout SeededGenerator) -> SegmentDefinition {
        guard levels > 0, let word = ["all", "any", "none"].randomElement(using: &generator) else {
            return leaves.randomElement(using: &generator) ?? leaves[0]
        }
        let parts = (0..<Int.random(in: 1...4, using: &generator)).map { _ in tree(leaves, levels: levels - 1, &generator) }
        return section([word: .list(parts)])
    }

    /// The bounds hold together: nothing about so large or so deep a tree is too much for an engine.
    @Test(arguments: Engine.all) func largeAndDeepTreesAreCounted(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        let changes = (0..<20).map { number in
            var change = CustomerChange(id: "\(number)")
            change.attributes[2] = .number(Int64(number) * 1_000_000)
            return change
        }
        _ = try await ledger.store(changes, source: "f", proof: "", audit: nil, now: 1)
        let wide = (0..<SegmentNode.mostConditions).map { condition("attribute=age equals=\($0 * 2)") }
        #expect(try await ledger.count(of: section(["any": .list(wide)]), now: 5) == 10)
        var deep = condition("attribute=age at_least=10")
        for _ in 1..<SegmentNode.mostLevels { deep = section(["none": .list([deep, condition("customers=x,y")])]) }
        #expect(try await ledger.count(of: deep, now: 5) == 10)
        await #expect(throws: LedgerError.self) { try await ledger.count(of: section(["none": .list([deep])]), now: 5) }
        await #expect(throws: LedgerError.self) { try await ledger.count(of: section(["any": .list(wide + wide)]), now: 5) }
    }

    @Test(arguments: Engine.all) func aSegmentIsKeptUnlessItUsesItself(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        func save(_ name: String, _ words: String, replaces: Bool = false) async throws {
            let note = AuditNote(.saveSegment, actor: "ann")
            let segment = StoredSegment(name: name, owner: "ann", definition: condition(words))
            try await ledger.save(segment, replaces: replaces, note: note, now: replaces ? 6 : 5)
        }
        try await save("a", "attribute=age at_least=20")
        try await save("b", "segment=a")
        try await save("c", "segment=b")
        await #expect(throws: LedgerError.refused("the segment would use itself: a -> c -> b -> a")) {
            try await save("a", "segment=c", replaces: true)
        }
        await #expect(throws: LedgerError.self) { try await save("a", "attribute=age at_least=30") }
        await #expect(throws: LedgerError.self) { try await save("d", "segment=e") }
        try await save("a", "attribute=age at_least=30", replaces: true)
        #expect(try await ledger.segments().map { "\($0.name) \($0.created) \($0.changed)" } == ["a 5 6", "b 5 5", "c 5 5"])
        await #expect(throws: LedgerError.self) { try await ledger.removeSegment("b", note: nil, now: 7) }
        #expect(try await ledger.removeSegment("c", note: AuditNote(.removeSegment, actor: "ann"), now: 7))
        #expect(try await ledger.removeSegment("c", note: nil, now: 7) == false)
        #expect(try await ledger.audit(AuditFilter(object: .segment("c")), limit: 9).map(\.order) == ["remove_segment", "save_segment"])
    }

    @Test(arguments: Engine.all) func pagesLoseNobodyWhileCustomersComeAndGo(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        let ids = (0..<30).map { "c\($0)" }
        _ = try await ledger.store(ids.map { CustomerChange(id: $0) }, source: "f", proof: "", audit: nil, now: 1)
        let all = condition("attribute=status equals=enabled")
        var page = SegmentPage(last: 0)
        var found: [String] = []
        var step = 0
        while !page.isEnd {
            page = try await ledger.members(of: all, after: page.last, limit: 4, now: 5)
            found += page.members
            step += 1
            guard step < 5 else { continue }
            _ = try await ledger.removeCustomers(["c\(step - 1)"], note: nil, now: 6)
            _ = try await ledger.store([CustomerChange(id: "new\(step)")], source: "f", proof: "", audit: nil, now: 6)
        }
        #expect(found == ids + (1...4).map { "new\($0)" })
    }
}
