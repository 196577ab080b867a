import Foundation

/// A load-test run as one HTML page that needs nothing else: no network, and for all but the plots no JavaScript.
///
/// Whatever the run brought in (names, responses, notes) is escaped; the page is below a megabyte for an hour of samples.
package struct HTMLReport: Sendable {
    let result: RunResult

    package init(_ result: RunResult) { self.result = result }

    /// The page.
    /// - Throws: `EncodingError` when the samples cannot be written as JSON.
    package var text: String {
        get throws {
            let title: HTML = "\(result.good ? "✓" : "✗") \(result.scenario.name) – Flotilla load test"
            return Self.filled(
                Self.resource(PackageResources.report_html),
                [
                    "title": title.text, "style": Self.resource(PackageResources.report_css), "body": body.text,
                    "data": try PlotData(result).json(), "script": Self.resource(PackageResources.report_js),
                ])
        }
    }

    private var body: HTML {
        "\(header)\(verdict)\(mailings)\(steps)\(panels)\(roles)\(notes)"
    }

    private static func resource(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The template with `{{name}}` replaced, in one pass: what is put in is not looked at again.
    static func filled(_ template: String, _ values: [String: String]) -> String {
        var parts = template.split(separator: "{{", omittingEmptySubsequences: false)[...]
        var text = String(parts.popFirst() ?? "")
        for part in parts {
            let pieces = part.split(separator: "}}", maxSplits: 1, omittingEmptySubsequences: false)
            text += values[String(pieces[0])] ?? ""
            if pieces.count > 1 { text += pieces[1] }
        }
        return text
    }
}
