import Customers
import Testing

/// What is wrong with a definition is named with its place.
@Suite struct SegmentReaderTests {
    private let catalogue = SegmentCatalogue(
        attributes: [
            Attribute(name: "age", type: .number, number: 1), Attribute(name: "city", type: .text, number: 2),
            Attribute(name: "vip", type: .boolean, number: 3),
        ], categories: ["news"], segments: ["old": .section(["segment": .text("older")])])

    private func fault(_ values: [String: String]) -> String? {
        let one = SegmentDefinition.section(values.mapValues { .text($0) })
        let tree = SegmentDefinition.section(["all": .list([.section(["attribute": .text("age"), "is_known": .text("true")]), one])])
        do throws(SegmentFault) { _ = try SegmentReader.read(tree, catalogue) } catch { return error.description }
        return nil
    }

    @Test func faultsSayWhatToWrite() {
        #expect(fault(["attribute": "city", "equals": "Bonn"]) == nil)
        #expect(fault(["atribute": "city"]) == "all[2]: 'atribute' is no condition; did you mean 'attribute'?")
        #expect(fault(["attribute": "cty", "equals": "x"]) == "all[2]: 'cty' is no attribute; did you mean 'city'?")
        #expect(
            fault(["attribute": "age", "at_leest": "3"]) == "all[2]: 'at_leest' is no operator of age (number); did you mean 'at_least'?")
        #expect(fault(["attribute": "age", "at_least": "old"])?.hasPrefix("all[2]: 'old' is no number") == true)
        #expect(fault(["attribute": "vip", "at_least": "1"])?.hasPrefix("all[2]: 'at_least' is no operator of vip (boolean)") == true)
        #expect(fault(["attribute": "age", "at_least": "1", "at_most": "2"])?.hasPrefix("all[2]: has at_least and at_most") == true)
        #expect(fault(["segment": "odl"]) == "all[2]: 'odl' is no segment; did you mean 'old'?")
        #expect(fault(["consent": "email", "category": "new"]) == "all[2]: 'new' is no category; did you mean 'news'?")
        #expect(fault(["consent": "emial"]) == "all[2]: 'emial' is no channel; did you mean 'email'?")
        #expect(fault(["orders": "sum", "at_least": "5"]) == "all[2]: a sum needs a currency such as EUR (ISO 4217)")
        #expect(fault(["orders": "first", "within_last": "0"]) == "all[2]: within_last is a number of days, from 1 to 36500")
        #expect(fault(["events": "count"]) == "all[2]: events need a name: which ones are meant")
        #expect(fault(["attribute": "status", "equals": "enable"]) == "all[2]: 'enable' is not allowed; did you mean 'enabled'?")
        #expect(fault(["all": "x"])?.hasPrefix("all[2]: all is a list") == true)
    }

    @Test func aCycleIsNamedWithItsWay() {
        #expect(catalogue.cycle(from: "older", .section(["segment": .text("old")])) == ["older", "old", "older"])
        #expect(catalogue.cycle(from: "new", .section(["segment": .text("old")])) == nil)
    }
}
