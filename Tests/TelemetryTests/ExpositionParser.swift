/// Reads the Prometheus text format strictly, as a second opinion beside promtool.
struct Exposition {
    struct Sample: Equatable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Family {
        var help = ""
        var type = ""
        var samples: [Sample] = []
    }

    struct Malformed: Error {
        let line: String
        let why: String
    }

    private(set) var names: [String] = []
    private(set) var families: [String: Family] = [:]

    subscript(_ name: String) -> Family? { families[name] }

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let family = families[name] ?? families.first { name.hasPrefix($0.key + "_") }?.value
        return family?.samples.first { $0.name == name && $0.labels == labels }?.value
    }

    init(_ text: String) throws {
        guard text.isEmpty || text.hasSuffix("\n") else { throw Malformed(line: "", why: "no line feed at the end") }
        var current = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) {
            if line.hasPrefix("# HELP ") {
                let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw Malformed(line: line, why: "no text") }
                guard families[parts[0]] == nil else { throw Malformed(line: line, why: "the metric comes twice") }
                current = parts[0]
                names.append(current)
                families[current] = Family(help: parts[1])
            } else if line.hasPrefix("# TYPE ") {
                let parts = line.dropFirst(7).split(separator: " ").map(String.init)
                guard parts.count == 2, parts[0] == current else { throw Malformed(line: line, why: "no HELP before") }
                families[current]?.type = parts[1]
            } else {
                let sample = try Self.sample(line)
                let type = families[current]?.type
                let suffixes = type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
                guard suffixes.contains(where: { current + $0 == sample.name }) else {
                    throw Malformed(line: line, why: "stands among the samples of \(current)")
                }
                let isKnown = families[current]?.samples.contains {
                    $0.name == sample.name && $0.labels == sample.labels
                }
                guard isKnown == false else { throw Malformed(line: line, why: "the series comes twice") }
                families[current]?.samples.append(sample)
            }
        }
        for (name, family) in families where family.type == "histogram" { try Self.check(name, family) }
    }

    private static func sample(_ line: String) throws -> Sample {
        var rest = line[...]
        let name = String(rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") })
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                let label = String(rest.prefix { $0 != "=" })
                rest = rest.dropFirst(label.count)
                guard rest.hasPrefix("=\""), labels[label] == nil else { throw Malformed(line: line, why: "label") }
                rest = rest.dropFirst(2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    guard character == "\\" else {
                        value.append(character)
                        continue
                    }
                    switch rest.popFirst() {
                    case "n": value.append("\n")
                    case "\\": value.append("\\")
                    case "\"": value.append("\"")
                    default: throw Malformed(line: line, why: "escape")
                    }
                }
                labels[label] = value
                if rest.first == "," { rest = rest.dropFirst() }
                guard !rest.isEmpty else { throw Malformed(line: line, why: "unclosed labels") }
            }
            rest = rest.dropFirst()
        }
        guard !name.isEmpty, rest.first == " ", let value = number(String(rest.dropFirst())) else {
            throw Malformed(line: line, why: "name or value")
        }
        return Sample(name: name, labels: labels, value: value)
    }

    private static func number(_ text: String) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(text)
        }
    }

    /// Buckets rise, end in +Inf, and agree with the count, for each label set.
    private static func check(_ name: String, _ family: Family) throws {
        var last: [[String: String]: (bound: Double, count: Double)] = [:]
        for sample in family.samples where sample.name == name + "_bucket" {
            var labels = sample.labels
            guard let bound = labels.removeValue(forKey: "le").flatMap(number) else {
                throw Malformed(line: name, why: "no le")
            }
            if let before = last[labels], before.bound >= bound || before.count > sample.value {
                throw Malformed(line: name, why: "buckets do not rise")
            }
            last[labels] = (bound, sample.value)
        }
        for (labels, end) in last {
            let count = family.samples.first { $0.name == name + "_count" && $0.labels == labels }?.value
            let hasSum = family.samples.contains { $0.name == name + "_sum" && $0.labels == labels }
            guard end.bound == .infinity, end.count == count, hasSum else {
                throw Malformed(line: name, why: "no +Inf, or it is not the count, or no sum")
            }
        }
    }
}
