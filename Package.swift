// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// A module of ours: strict settings, in `Sources/NAME`.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
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
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

let package = Package(
    name: "flotilla",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "flotilla", targets: ["flotilla"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // 0: C libraries; values; pure rules.
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CHiredis", linkerSettings: [.linkedLibrary("hiredis")]),
        module("Model", []),
        module("Policy", ["Model", deque]),
        module("Simulation", ["Model", "Policy"]),
        // 1: the edges; each is the only importer of its driver.
        module("Telemetry", ["Model", log, metrics, metricsCore, lifecycle, hummingbird, nioCore]),
        .target(
            name: "Broker", dependencies: ["Model", "CHiredis", log, metrics, deque] + nio,
            resources: ["begin", "establish", "feed", "guard", "known", "limits", "marks", "observe", "publish", "pulse", "reclaim", "remove", "renew", "report", "reserve", "settle", "steer", "takeover", "turn", "untouch", "void"].map { .embedInCode("Scripts/\($0).lua") },
            swiftSettings: strict),
        module("Ledger", ["Model", log, metrics, grdb]),
        module("Templates", ["Model"]),
        module("Transport", ["Model", "Policy", "CCurl", log, metrics, deque] + nio),
        // 2: the roles.
        module("Planning", ["Model", "Policy", "Broker", "Ledger", "Templates", log, metrics, lifecycle, yaml]),
        module("Delivery", ["Model", "Policy", "Broker", "Templates", "Transport", log, metrics, lifecycle, deque]),
        module("Collecting", ["Model", "Policy", "Broker", "Ledger", log, metrics, lifecycle]),
        module("Sink", ["Model", "Policy", log, lifecycle] + nio),
        // 3: the configuration and the executable.
        module("Settings", ["Model", "Policy", "Telemetry", "Sink", log, yaml,
            .product(name: "Configuration", package: "swift-configuration")]),
        .target(
            name: "Loadtest",
            dependencies: ["Model", "Policy", "Broker", "Ledger", "Sink", "Settings", yaml, log] + nio,
            resources: ["html", "css", "js"].map { .embedInCode("Report/report.\($0)") }, swiftSettings: strict),
        .executableTarget(
            name: "flotilla",
            dependencies: [
                "Model", "Policy", "Telemetry", "Broker", "Ledger", "Transport", "Planning", "Delivery", "Collecting",
                "Sink", "Settings", "Loadtest", "Simulation", log, metrics, lifecycle,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ] + nio,
            swiftSettings: strict),
        // Real servers for the tests.
        .target(name: "TestServers", path: "Tests/TestServers", swiftSettings: strict),
        tests("Model", []),
        tests("Policy", ["Model"]),
        tests("Simulation", ["Model", "Policy"]),
        tests("Telemetry", ["Model", log, metrics, lifecycle]),
        tests("Settings", ["Model", "Policy", "Telemetry", "Sink", log]),
        tests("Broker", ["Model", "Policy", "TestServers", log] + nio),
        tests("Ledger", ["Model", log, grdb]),
        tests("Templates", ["Model"]),
        tests("Transport", ["Model", "Policy", "Sink", "TestServers", log, .product(name: "NIOEmbedded", package: "swift-nio")] + nio),
        tests("Planning", ["Model", "Policy", "Ledger", log]),
        tests("Delivery", ["Model", "Policy", "Broker", "TestServers", log] + nio),
        tests("Collecting", ["Model", "Broker", "Ledger", "TestServers", log] + nio),
        tests("Sink", ["Model", "Policy", log, lifecycle] + nio),
        tests("Loadtest", ["Model", "Policy", "Settings", "TestServers"]),
        tests("flotilla", ["TestServers"]),
    ]
)
