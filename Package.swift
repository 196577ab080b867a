// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The floors of the house, as folders: dependencies point downwards only, and a role never imports another role.
enum Floor: String {
    case core = "Core"
    case edges = "Edges"
    case roles = "Roles"
    case lab = "Lab"
}

/// A module of ours: strict settings, in `Sources/FLOOR/NAME`.
func module(
    _ floor: Floor, _ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(floor.rawValue)/\(name)", resources: resources,
        swiftSettings: strict)
}

/// A C or C++ library's headers and inline wrappers, in `Sources/Core/NAME`.
func shim(_ name: String, library: String...) -> Target {
    .target(name: name, path: "Sources/Core/\(name)", linkerSettings: library.map { .linkedLibrary($0) })
}

/// The tests of a module, in `Tests/NAMETests`.
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, resources: resources,
        swiftSettings: strict)
}

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let metricsCore: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
/// SQLite's own face, as GRDB has it.
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: "swift-nio"),
]

/// The Lua scripts of the broker.
let scripts = [
    "admit", "adopt", "altered", "answer", "append", "commit", "confirm", "dead_letter", "dispatch", "dispatched", "distrust", "entries",
    "establish", "fail", "forget", "fullness", "heartbeat", "inside", "inspect", "lacking",
    "lead", "leave", "limits", "marks", "observe", "order", "prelude", "publish", "queue", "ready", "recall", "reclaim", "remove",
    "renew", "renumber", "replay", "report", "reserve", "restore", "settle", "start", "steer", "take", "takeover", "unmark", "withdraw",
    "wrong_type",
]

/// The languages of the tracker's pages.
let pageLanguages = ["ar", "de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "uk"]

let package = Package(
    name: "flotilla",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "flotilla", targets: ["flotilla"]),
        .executable(name: "flotilla-lab", targets: ["flotilla-lab"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // Core: C libraries; values and wire formats; pure rules; the merge language.
        shim("CCurl", library: "curl"),
        shim("CHiredis", library: "hiredis"),
        shim("CIDN2", library: "idn2", "unistring"),
        shim("CLibCrypto", library: "crypto"),
        shim("CPhoneNumber", library: "phonenumber"),
        shim("CPQ", library: "pq"),
        shim("CPrefetch"),
        shim("CUnbound", library: "unbound"),
        shim("CZlib", library: "z"),
        module(.core, "Text", ["CIDN2"]),
        module(.core, "Model", ["Text"]),
        module(.core, "Policy", ["Model", "Text", "CPhoneNumber", deque]),
        module(.core, "Customers", ["Model", "Text", "Policy"]),
        module(.core, "Signing", ["Text", "CLibCrypto"]),
        module(.core, "Bounces", ["Model", "Text", "Policy"]),
        module(.core, "Authentication", ["Text", "Signing"]),
        module(.core, "Receipts", ["Model", "Text", "CLibCrypto", deque]),
        module(.core, "Templates", ["Model", "Text", "Signing"]),
        // Edges: each is the only importer of its driver.
        module(.edges, "Telemetry", ["Model", "Text", log, metrics, metricsCore, lifecycle, hummingbird, nioCore, deque]),
        module(
            .edges, "Broker", ["Model", "Text", "Policy", "Signing", "CHiredis", log, metrics, deque] + nio,
            resources: scripts.map { .embedInCode("Scripts/\($0).lua") }),
        module(
            .edges, "Ledger",
            ["Model", "Text", "Policy", "Customers", "Signing", "CLibCrypto", "CPQ", "CZlib", log, metrics, grdb, sqlite]),
        module(.edges, "Transport", ["Model", "Text", "Policy", "CCurl", log, metrics, lifecycle, deque] + nio),
        module(
            .edges, "Settings",
            [
                "Model", "Text", "Policy", "Signing", "Receipts", "Telemetry", log, yaml,
                .product(name: "Configuration", package: "swift-configuration"),
            ]),
        module(.edges, "Names", ["Text", "Authentication", "CUnbound"]),
        module(.edges, "CommandSupport", ["Telemetry", lifecycle, arguments]),
        // Roles: one duty each.
        module(
            .roles, "Planning",
            [
                "CPrefetch", "Model", "Text", "Policy", "Customers", "Signing", "Broker", "Ledger", "Settings", "Templates", log, metrics,
                lifecycle,
                yaml, heap,
            ]),
        module(
            .roles, "Delivery", ["Model", "Text", "Policy", "Signing", "Broker", "Templates", "Transport", log, metrics, lifecycle, deque]),
        module(.roles, "Control", ["Model", "Text", "Policy", "Customers", "Signing", "Broker", "Ledger", "Settings", "Telemetry", log]),
        module(
            .roles, "Tracking",
            ["Model", "Text", "Policy", "Signing", "Receipts", "Broker", "Telemetry", log, metrics, lifecycle, deque],
            resources: pageLanguages.map { .embedInCode("Languages/\($0).txt") }),
        module(
            .roles, "Webhooks",
            ["Model", "Text", "Policy", "Signing", "Ledger", "Telemetry", "Transport", log, metrics, lifecycle, deque]),
        module(
            .roles, "BounceIntake",
            ["Bounces", "Model", "Text", "Policy", "Signing", "Broker", "Transport", log, metrics, lifecycle]),
        module(.roles, "Collecting", ["Model", "Policy", "Signing", "Broker", "Ledger", "Templates", log, metrics, lifecycle]),
        // Lab: the other side, load tests, forecasts.
        module(.lab, "Sink", ["Model", "Text", "Policy", "Telemetry", "Settings", log, lifecycle, yaml, nioHTTP1] + nio),
        module(.lab, "Simulation", ["Model", "Text", "Policy", heap]),
        module(.lab, "Synthetic", ["Model", "Text", "Policy"]),
        module(
            .lab, "Loadtest", ["Model", "Text", "Policy", "Broker", "Ledger", "Telemetry", "Sink", "Settings", yaml, log] + nio,
            resources: ["html", "css", "js"].map { .embedInCode("Report/report.\($0)") }),
        .executableTarget(
            name: "flotilla",
            dependencies: [
                "Model", "Text", "Policy", "Customers", "Signing", "Templates", "Receipts", "Bounces", "Telemetry", "Broker", "Ledger",
                "Transport", "Planning", "Delivery",
                "Collecting", "Tracking", "BounceIntake", "Webhooks", "Control", "Authentication", "Names", "Settings", "CommandSupport",
                log,
                metrics, lifecycle, arguments,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ] + nio,
            swiftSettings: strict),
        .executableTarget(
            name: "flotilla-lab",
            dependencies: [
                "Model", "Text", "Policy", "Signing", "Telemetry", "Settings", "Sink", "Synthetic", "Simulation", "Loadtest",
                "CommandSupport", log, lifecycle, arguments, hummingbird, nioCore,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Lab/flotilla-lab", swiftSettings: strict),
        // Real servers for the tests, and what they do to a ledger.
        .target(name: "TestServers", dependencies: ["Model", "Ledger", log, lifecycle], path: "Tests/TestServers", swiftSettings: strict),
        tests("Text", ["Model"]),
        tests("Model", ["Text", "TestServers"]),
        tests("Policy", ["Model", "Text", "TestServers"]),
        tests("Customers", ["Model", "Policy"]),
        tests("Simulation", ["Model", "Policy", "TestServers"]),
        tests("Telemetry", ["Model", "Text", "TestServers", nioCore, log, metrics, lifecycle]),
        tests("Settings", ["Model", "Text", "Policy", "Signing", "Receipts", "Telemetry", "TestServers", log]),
        tests("Broker", ["Model", "Text", "Policy", "Signing", "TestServers", log] + nio),
        tests(
            "Ledger", ["Model", "Text", "Policy", "Customers", "Signing", "TestServers", log, grdb],
            resources: [.embedInCode("Fixtures/ledger-2026-11-22.sql")]),
        tests("Bounces", ["Model", "Text", "Policy", "TestServers"]),
        tests("Receipts", ["Model", "Text", "TestServers"]),
        tests("Signing", ["Model", "Text", "TestServers"]),
        tests("Authentication", ["Signing", "Text"], resources: [.embedInCode("Fixtures/rfc7208-tests.txt")]),
        tests("Names", ["Authentication", "TestServers"]),
        tests("Templates", ["Model", "Text", "Signing"]),
        tests(
            "Transport",
            ["Model", "Text", "Policy", "Sink", "TestServers", log, nioEmbedded] + nio),
        tests(
            "Planning",
            ["Model", "Text", "Policy", "Templates", "Broker", "Ledger", "Synthetic", "TestServers", log, lifecycle, grdb] + nio),
        tests(
            "Delivery",
            ["Model", "Text", "Policy", "Signing", "Templates", "Broker", "Planning", "Sink", "TestServers", log, lifecycle] + nio),
        tests("Control", ["Model", "Policy", "Signing", "Broker", "Ledger", "Settings", "TestServers", log] + nio),
        tests("Collecting", ["Model", "Text", "Policy", "Signing", "Broker", "Ledger", "TestServers", log, lifecycle] + nio),
        tests("Tracking", ["Model", "Text", "Policy", "Signing", "Receipts", "Broker", "Telemetry", "TestServers", log, lifecycle] + nio),
        tests(
            "BounceIntake",
            ["Model", "Text", "Policy", "Signing", "Broker", "Ledger", "Transport", "TestServers", log, lifecycle] + nio),
        tests("Webhooks", ["Model", "Text", "Policy", "Signing", "Ledger", "TestServers", log]),
        tests("Sink", ["Model", "Text", "Policy", "Settings", "TestServers", log, lifecycle, nioHTTP1, nioEmbedded] + nio),
        tests("Synthetic", ["Model", "Text", "Policy", "Planning"]),
        tests("Loadtest", ["Model", "Text", "Policy", "Settings", "TestServers"]),
        tests("flotilla", ["Model", "Text", "Signing", "Settings", "Telemetry", "Broker", "CommandSupport", "TestServers", log] + nio),
    ],
    cxxLanguageStandard: .cxx17
)
