// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Store

struct MigrationsTests {
  private static let later = Migration(
    name: "later", script: "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT")
  private static let broken = Migration(
    name: "broken", script: "CREATE TABLE half (id INTEGER); CREATE TABLE users (id INTEGER)")

  @Test func runOnceOnly() throws {
    let folder = TemporaryFolder()
    let created = try folder.open()
    #expect(created.migratedFrom == 0)
    try created.close()
    let again = try folder.open()
    #expect(again.migratedFrom == nil)
    try Migrations.run(on: again)
    #expect(try again.integer("PRAGMA user_version") == Int64(Migrations.all.count))
  }

  @Test func keepACopyBeforeTheyChangeADatabase() throws {
    let folder = TemporaryFolder()
    let database = try folder.open()
    let known = Migrations.all.count
    try Migrations.run(on: database, steps: Migrations.all + [MigrationsTests.later])
    #expect(database.migratedFrom == Int64(known))
    #expect(try database.integer("SELECT count(*) FROM later") == 0)
    #expect(folder.has("db.db.before-\(known + 1)"))
    try database.close()
    #expect(kind { () throws(StoreError) in try open(folder) } == .newerVersion)
  }

  @Test func leaveNothingOfAStepThatFails() throws {
    let folder = TemporaryFolder()
    let database = try folder.open()
    let steps = Migrations.all + [MigrationsTests.later, MigrationsTests.broken]
    do throws(StoreError) {
      try Migrations.run(on: database, steps: steps)
      Issue.record("ran")
    } catch { #expect(error.message.starts(with: "broken: ")) }
    #expect(try database.integer("PRAGMA user_version") == Int64(Migrations.all.count))
    #expect(
      try database.integer("SELECT count(*) FROM sqlite_master WHERE name IN ('half', 'later')")
        == 0)
  }

  @Test func leaveADatabaseOfANewerVersionAlone() throws {
    let folder = TemporaryFolder()
    let database = try folder.open()
    try database.pragma("user_version", 1000)
    try database.close()
    let before = folder.content()
    #expect(kind { () throws(StoreError) in try open(folder) } == .newerVersion)
    #expect(folder.content() == before)
  }

  @Test func leaveADatabaseOfAnotherProgramAlone() throws {
    let folder = TemporaryFolder()
    let database = try folder.open()
    try database.pragma("application_id", 0)
    try database.close()
    let before = folder.content()
    #expect(kind { () throws(StoreError) in try open(folder) } == .other)
    #expect(folder.content() == before)
  }

  private func open(_ folder: TemporaryFolder) throws(StoreError) {
    _ = try Database(path: folder.path(), settings: StoreSettings())
  }
}
