require_relative "rails_app"
require "action_controller"
require "minitest/autorun"

# The connection is of the PG* environment variables.
ActiveRecord::Base.establish_connection(adapter: "postgresql")
TSAI_A = "a0000000-0000-0000-0000-000000000001"

CurrentUser = Struct.new(:owner)

class CustomersController < ActionController::Base
  around_action { |_, action| ApplicationRecord.as_owner(current_user.owner, &action) }

  def index = render(plain: Customer.order(:name).pluck(:name).join(","))

  def add_and_fail
    Customer.create!(name: "Added and failed")
    1 / 0
  end

  private

  def current_user = CurrentUser.new(request.env["test.owner"])
end

class RecipeTest < Minitest::Test
  def self.test_order = :alpha

  def names(owner)
    Customer.as_owner(owner) { Customer.pluck(:name) }
  end

  def test_each_owner_sees_its_own
    assert_empty ["Tsai Mei-Ling", "Chen Wei", "蔡美玲"] - names("Company A")
    assert_equal ["Tsai Mei-Ling", "Łukasz Kowalski"], names("Company B").sort
    assert_match(/no owner is selected/, assert_raises(ActiveRecord::StatementInvalid) { Customer.pluck(:name) }.message)
    assert_match(/has no access to owner/, assert_raises(ActiveRecord::StatementInvalid) { names("Company C") }.message)
  end

  def test_a_customer_is_written_read_and_written_back
    id = Customer.as_owner("Company A") do
      Customer.create!(name: "Wu", phones: ["0912-000-001"], custom: { Plan: "gold" }).id
    end
    Customer.as_owner("Company A") do
      read = Customer.find(id)
      assert_equal [["0912-000-001"], { "Plan" => "gold" }], [read.phones, read.custom]
      read.update!(name: "Wu Mei", custom: read.custom.merge("Plan" => "silver"))
      read.reload
      assert_equal ["Wu Mei", { "Plan" => "silver" }], [read.name, read.custom]
      # All columns, as a form does that sends them back.
      Customer.where(id: id).update_all(read.attributes.except("custom"))
    end
    Customer.as_owner("Company B") { assert_equal 0, Customer.where(id: TSAI_A).update_all(name: "stolen") }
  end

  def test_the_danger_the_query_cache
    Customer.cache do
      enter = ->(owner) { Customer.connection.exec_query("SELECT ringfence.enter('#{owner}')") }
      of_a = Customer.transaction { enter.("Company A"); Customer.pluck(:name) }
      of_b = Customer.transaction { enter.("Company B"); Customer.pluck(:name) }
      assert_equal of_a, of_b # from the cache
      # enter() itself from the cache: the database is never asked, and refuses.
      cached = ->(owner) { Customer.connection.select_value("SELECT ringfence.enter('#{owner}')") }
      Customer.transaction { cached.("Company A") }
      refused = assert_raises(ActiveRecord::StatementInvalid) do
        Customer.transaction { cached.("Company A"); Customer.maximum(:name) }
      end
      assert_match(/no owner is selected/, refused.message)
    end
  end

  def test_the_cure
    Customer.cache do
      assert_includes names("Company A"), "Chen Wei"
      assert_equal ["Tsai Mei-Ling", "Łukasz Kowalski"], names("Company B").sort
      assert_includes names("Company A"), "Chen Wei"
      assert_raises(ActiveRecord::StatementInvalid) { Customer.pluck(:name) }
    end
  end

  def test_an_action_that_fails_is_rolled_back
    ask = lambda do |action, owner|
      CustomersController.action(action).call(Rack::MockRequest.env_for("/", "test.owner" => owner))
    end
    body = ask.(:index, "Company B")[2].each.to_a.join.force_encoding("UTF-8")
    assert_equal "Tsai Mei-Ling,Łukasz Kowalski", body
    assert_raises(ZeroDivisionError) { ask.(:add_and_fail, "Company A") }
    refute_includes names("Company A"), "Added and failed"
  end

  def test_z_a_suite_rolls_back
    # What use_transactional_tests does.
    Customer.connection.begin_transaction(joinable: false)
    Customer.as_owner("Company A") { Customer.create!(name: "Only a test") }
    assert_includes names("Company A"), "Only a test"
    Customer.connection.rollback_transaction
    refute_includes names("Company A"), "Only a test"
  end
end
