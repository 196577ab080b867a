import Foundation
import TestServers

/// A real Prometheus with the configuration that we ship, on targets of a test and with shorter intervals.
final class Prometheus {
    /// A process that is scraped.
    struct Target {
        var role: String
        var port: Int
    }

    private let folder: TemporaryFolder
    private let process: ServerProcess
    private let port: Int
    private let began = Date().timeIntervalSince1970

    /// The label `fleet` of the targets.
    static let fleet = "test"

    init(_ targets: [Target]) async throws {
        folder = try TemporaryFolder()
        let own = folder.url.appending(path: "prometheus")
        try FileManager.default.copyItem(at: Repository.root.appending(path: "deploy/prometheus"), to: own)
        let configuration = own.appending(path: "prometheus.yml")
        try String(contentsOf: configuration, encoding: .utf8)
            .replacing(#/(_interval|_timeout): \d+[sm]/#) { "\($0.output.1): 1s" }
            .write(to: configuration, atomically: true, encoding: .utf8)
        let list = targets.map {
            #"- {targets: ["127.0.0.1:\#($0.port)"], labels: {fleet: \#(Self.fleet), role: \#($0.role)}}"#
        }
        try (list.joined(separator: "\n") + "\n")
            .write(to: own.appending(path: "targets/fleet.yml"), atomically: true, encoding: .utf8)
        port = try freePort()
        process = try ServerProcess(
            "prometheus",
            [
                "--config.file=\(configuration.path)", "--storage.tsdb.path=\(folder.path("data"))",
                "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
            ], package: "prometheus", output: folder.path("log"))
        try await eventually("Prometheus is up: \(log)") {
            guard process.isRunning else { throw TimedOut(description: "Prometheus ended: \(log)") }
            return try page("/-/ready").contains("Ready")
        }
    }

    var log: String { (try? String(contentsOfFile: folder.path("log"), encoding: .utf8)) ?? "" }

    // MARK: What it says (https://prometheus.io/docs/prometheus/latest/querying/api/)

    private struct Reply<Content: Decodable>: Decodable {
        var status: String
        var data: Content?
        var error: String?
    }

    struct Targets: Decodable {
        struct Active: Decodable {
            var labels: [String: String]
            var health: String
            var lastError: String
        }
        var activeTargets: [Active]
    }

    struct Rules: Decodable {
        struct Group: Decodable {
            var name: String
            var rules: [Rule]
        }
        struct Rule: Decodable {
            var name: String
            /// As Prometheus's own parser prints it.
            var query: String
            var health: String
            var lastError: String?
        }
        var groups: [Group]
    }

    private struct Found: Decodable {
        struct Series: Decodable { var metric: [String: String] }
        var result: [Series]
    }

    func targets() throws -> [Targets.Active] { try ask(Targets.self, "targets").activeTargets }

    func rules() throws -> [Rules.Rule] { try ask(Rules.self, "rules").groups.flatMap(\.rules) }

    /// The names of all metrics it has, recorded ones too.
    func names() throws -> Set<String> { Set(try ask([String].self, "label/__name__/values")) }

    /// Whether a query has found a series with these labels since the start, as a graph would show it.
    func shows(_ query: String, labels: [String]) throws -> Bool {
        let fields = ["query": query, "start": "\(began)", "end": "\(Date().timeIntervalSince1970)", "step": "1"]
        return try ask(Found.self, "query_range", fields).result.contains { series in
            labels.allSatisfy { series.metric[$0] != nil }
        }
    }

    private func ask<Content: Decodable>(_ type: Content.Type, _ what: String, _ fields: [String: String] = [:]) throws -> Content {
        let text = try page("/api/v1/\(what)", fields)
        let reply = try JSONDecoder().decode(Reply<Content>.self, from: Data(text.utf8))
        guard let data = reply.data else { throw Refusal(description: "\(what) \(fields): \(reply.error ?? text)") }
        return data
    }

    private func page(_ path: String, _ fields: [String: String] = [:]) throws -> String {
        try Web.get("http://127.0.0.1:\(port)\(path)", fields)
    }

    /// Prometheus does not take a query.
    struct Refusal: Error, CustomStringConvertible { let description: String }
}

/// Pages, by curl.
enum Web {
    /// The body of a response, whatever its status; empty where there is none.
    static func get(_ url: String, _ fields: [String: String] = [:]) throws -> String {
        let folder = try TemporaryFolder()
        let query = fields.flatMap { ["--data-urlencode", "\($0.key)=\($0.value)"] }
        let curl = try ServerProcess("curl", ["-s", "-m", "10", "-G"] + query + [url], package: "curl", output: folder.path("body"))
        _ = curl.wait()
        return (try? String(contentsOfFile: folder.path("body"), encoding: .utf8)) ?? ""
    }
}

/// The files of this repository.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
