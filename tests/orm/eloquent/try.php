<?php
require 'Illuminate/Database/autoload.php';
require 'eloquent_app.php';

ini_set('assert.exception', 1);

const TSAI_A = 'a0000000-0000-0000-0000-000000000001';

$capsule = new Illuminate\Database\Capsule\Manager;
$capsule->addConnection([
    'driver' => 'pgsql',
    'host' => getenv('PGHOST'),
    'port' => getenv('PGPORT'),
    'database' => getenv('PGDATABASE'),
    'username' => getenv('PGUSER'),
    'password' => getenv('PGPASSWORD'),
    'charset' => 'utf8',
]);
$capsule->bootEloquent();
$connection = $capsule->getConnection();

function same($expected, $found)
{
    if ($expected != $found) {
        throw new Exception(json_encode([$expected, $found], JSON_UNESCAPED_UNICODE));
    }
}

function refused(string $pattern, callable $work)
{
    try {
        $work();
    } catch (Throwable $error) {
        same(1, preg_match($pattern, $error->getMessage()));
        return;
    }
    throw new Exception("not refused: $pattern");
}

$names = fn () => Customer::all()->pluck('name')->sort()->values()->all();

// Each owner sees its own.
same(['Chen Wei', 'Tsai Mei-Ling', '蔡美玲'], as_owner($connection, 'Company A', $names));
same(['Tsai Mei-Ling', 'Łukasz Kowalski'], as_owner($connection, 'Company B', $names));
refused('/no owner is selected/', $names);
refused('/has no access to owner/', fn () => as_owner($connection, 'Company C', $names));

// A suite rolls back; as_owner() within its transaction is a savepoint.
$connection->beginTransaction();
as_owner($connection, 'Company A', fn () => Customer::create(['name' => 'Only a test']));
same(1, as_owner($connection, 'Company A', fn () => Customer::where('name', 'Only a test')->count()));
$connection->rollBack();
same(0, as_owner($connection, 'Company A', fn () => Customer::where('name', 'Only a test')->count()));

// Written, read, changed and written back; Eloquent writes created_at and updated_at by itself.
$id = as_owner($connection, 'Company A', fn () => Customer::create(['name' => 'Wu', 'custom' => ['Plan' => 'gold']])->id);
same(1, preg_match('/^[0-9a-f-]{36}$/', $id));
as_owner($connection, 'Company A', function () use ($id) {
    $read = Customer::findOrFail($id);
    same(['Wu', ['Plan' => 'gold']], [$read->name, $read->custom]);
    $read->update(['name' => 'Wu Mei', 'custom' => ['Plan' => 'silver']]);
    same(['Wu Mei', ['Plan' => 'silver']], [$read->fresh()->name, $read->fresh()->custom]);
});
same(0, as_owner($connection, 'Company B', fn () => Customer::where('id', TSAI_A)->update(['name' => 'stolen'])));

// PDO alone.
$pdo = $connection->getPdo();
$pdo->beginTransaction();
$pdo->prepare('SELECT ringfence.enter(?)')->execute(['Company B']);
same(2, $pdo->query('SELECT count(*) FROM app.customer')->fetchColumn());
$pdo->commit();
