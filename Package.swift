// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT
//
// Two modes from the same sources:
//   swift build                 ordinary Swift, linked with the host's libraries; tests run here
//   EMBEDDED=1 swift build …    Embedded Swift against musl (scripts/release.sh passes the toolset)
//   FUZZING=1 swift build …     adds the libFuzzer drivers

import PackageDescription

let isEmbedded = Context.environment["EMBEDDED"] == "1"
let isFuzzing = Context.environment["FUZZING"] == "1"
let optimization = Context.environment["OPT"] ?? "-Osize"
/// The linker makes machine code of all modules at once, at fixed addresses: on x86_64 an eighth
/// fewer instructions per request, on the boards 5 % smaller.
let linking = ["-Xfrontend", "-emit-bc", "-Xfrontend", "-lto=llvm-full"]
/// Seconds since 1970 that certificates are judged by when the clock is earlier.
let buildTime = Context.environment["SOURCE_DATE_EPOCH"] ?? "1763856000"
let version = Context.environment["TINYGATEWAY_VERSION"] ?? "0.1.0-dev"

let swiftSettings: [SwiftSetting] =
  isEmbedded
  ? [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(
      [
        "-wmo", optimization, "-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections",
      ] + linking),
  ]
  : []
let executableSettings: [SwiftSetting] =
  swiftSettings + (isEmbedded ? [.unsafeFlags(["-parse-as-library"])] : [])
let executableLinking: [LinkerSetting] =
  isEmbedded
  ? [.unsafeFlags(["-Xclang-linker", "-nostdlib", "-Xclang-linker", "-nostartfiles"])] : []

let cSettings: [CSetting] = [
  .define("TG_BUILD_TIME", to: buildTime),
  .define("TG_VERSION", to: "\"\(version)\""),
  .define("TG_EMBEDDED", to: isEmbedded ? "1" : "0"),
]
/// NO_ROOTS=1 leaves the built-in certificate authorities out (about 72 kB).
let rootsSettings: [CSetting] =
  Context.environment["NO_ROOTS"] == "1" ? [.define("TG_NO_ROOTS")] : []
let mbedTLSLibraries: [LinkerSetting] =
  isEmbedded
  ? []
  : [.linkedLibrary("mbedtls"), .linkedLibrary("mbedx509"), .linkedLibrary("mbedcrypto")]
let sqliteLibraries: [LinkerSetting] = isEmbedded ? [] : [.linkedLibrary("sqlite3")]

var targets: [Target] = [
  .target(name: "CPlatform", cSettings: cSettings),
  .target(name: "CDocuments"),
  .target(name: "CRoots", cSettings: cSettings + rootsSettings),
  .target(
    name: "CMbedTLS", dependencies: ["CRoots"], cSettings: cSettings,
    linkerSettings: mbedTLSLibraries),
  .target(name: "CSQLite", cSettings: cSettings, linkerSettings: sqliteLibraries),
  .target(name: "Platform", dependencies: ["CPlatform", "CMbedTLS"], swiftSettings: swiftSettings),
  .target(name: "MiniJSON", dependencies: ["Platform"], swiftSettings: swiftSettings),
  .target(
    name: "MiniHTTP", dependencies: ["Platform", "CPlatform", "CMbedTLS"],
    swiftSettings: swiftSettings),
  .target(
    name: "Store", dependencies: ["Platform", "CSQLite"], swiftSettings: swiftSettings),
  .target(
    name: "Vendors", dependencies: ["Platform", "MiniJSON"], swiftSettings: swiftSettings),
  .executableTarget(
    name: "TinyGateway",
    dependencies: ["Platform", "MiniJSON", "MiniHTTP", "Store", "Vendors", "CDocuments"],
    swiftSettings: executableSettings, linkerSettings: executableLinking),
]

if !isEmbedded {
  targets.append(
    .target(
      name: "CRecordingVFS", path: "Tests/CRecordingVFS",
      linkerSettings: sqliteLibraries))
  for module in ["Platform", "MiniJSON", "MiniHTTP", "Store", "Vendors", "TinyGateway"] {
    targets.append(
      .testTarget(
        name: "\(module)Tests",
        dependencies: [.target(name: module)]
          + (module == "Platform" ? [] : ["Platform"])
          + (module == "Store" ? ["CRecordingVFS"] : [])))
  }
}

let package = Package(
  name: "TinyGateway",
  products: [.executable(name: "TinyGateway", targets: ["TinyGateway"])],
  targets: targets,
  swiftLanguageModes: [.v6]
)
