# Django 3.2 over psycopg2: inspectdb, the introspection that migrations use, the schema editor, a recorded migration, and the ORM.
import io
import os
import warnings
warnings.filterwarnings("ignore")
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}},
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

def section(name):
    print("==", name)

section("inspectdb")
out = io.StringIO()
call_command("inspectdb", "--include-views", stdout=out)
print(out.getvalue())

section("introspection")
with connection.cursor() as cursor:
    for table in connection.introspection.get_table_list(cursor):
        print(table, connection.introspection.get_table_description(cursor, table.name))
        if table.type == "t":
            print(sorted(connection.introspection.get_constraints(cursor, table.name).items()))
            print(connection.introspection.get_relations(cursor, table.name), connection.introspection.get_sequences(cursor, table.name))

class Person(models.Model):
    id = models.AutoField(primary_key=True)
    name = models.TextField()
    email = models.TextField(null=True)
    city = models.CharField(max_length=40, null=True)
    class Meta:
        app_label = "work"
        db_table = "people"
        managed = False

class Order(models.Model):
    person = models.ForeignKey(Person, models.CASCADE, db_column="person", related_name="orders")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    placed = models.DateTimeField(auto_now_add=True)
    note = models.TextField(null=True)
    class Meta:
        app_label = "work"
        db_table = "orders"
        managed = False

class Thing(models.Model):
    title = models.CharField(max_length=30, unique=True)
    data = models.JSONField(default=dict)
    owner = models.ForeignKey(Person, models.SET_NULL, null=True)
    class Meta:
        app_label = "work"
        constraints = [models.CheckConstraint(check=~models.Q(title=""), name="titled")]
        indexes = [models.Index(fields=["-id"], name="things_back")]

section("schema editor and migrations")
with connection.schema_editor() as editor:
    editor.create_model(Thing)
extra = models.IntegerField(default=7)
extra.set_attributes_from_name("extra")
with connection.schema_editor() as editor:
    editor.add_field(Thing, extra)
    editor.remove_field(Thing, extra)
recorder = MigrationRecorder(connection)
recorder.record_applied("work", "0001_initial")
print(sorted(recorder.applied_migrations()), MigrationExecutor(connection).loader.applied_migrations.keys())
print(sorted(connection.introspection.table_names()))

section("ORM")
print(list(Order.objects.values("person__name").annotate(n=models.Count("id"), total=models.Sum("amount")).order_by("person__name")))
print([(p.name, len(p.orders.all())) for p in Person.objects.defer("email").prefetch_related("orders").order_by("id")])
print([o.person.name for o in Order.objects.select_related("person").defer("person__email").filter(amount__gt=60).order_by("-id")[:5]])
Thing.objects.bulk_create([Thing(title="t%d" % i, data={"n": i, "l": [i]}) for i in range(30)])
print(Thing.objects.filter(data__n__gte=28).count(), Thing.objects.get(title="t5").data, Thing.objects.filter(title__in=["t1", "t2"]).update(owner=1))
print(Thing.objects.update_or_create(title="t1", defaults={"data": {"n": "new"}})[1], Thing.objects.get_or_create(title="u")[1])
print(sum(t.id > 0 for t in Thing.objects.iterator(chunk_size=7)), Thing.objects.filter(owner__isnull=False).exists())
print(Person.objects.filter(pk__in=models.Subquery(Order.objects.filter(amount__lt=4).values("person"))).order_by("id").values_list("id", "name"))
print(Thing.objects.raw("select id, title from work_thing where title = %s", ["t3"])[0].title, Thing.objects.all().delete()[0])

section("transactions")
try:
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=5)
        order.note = "django"
        order.save(update_fields=["note"])
        try:
            with transaction.atomic():
                Order.objects.create(person_id=99, amount=1)
                connection.check_constraints()
        except IntegrityError as e:
            print(e.__cause__.pgcode)
        print(Order.objects.filter(note="django").count())
        raise RuntimeError("enough")
except RuntimeError as e:
    print(e, Order.objects.filter(note="django").count())

section("errors")
for work in (lambda: Thing.objects.create(title=""), lambda: Order.objects.create(person_id=1, amount=-1), lambda: list(Person.objects.raw("selec 1")), lambda: list(Person.objects.extra(where=["nope = 1"]))):
    try:
        work()
        print("no error")
    except DatabaseError as e:
        print(type(e).__name__, e.__cause__.pgcode)
with connection.schema_editor() as editor:
    editor.delete_model(Thing)
with connection.cursor() as cursor:
    cursor.execute("drop table django_migrations")

for row in Person.objects.order_by("id").values_list():
    print("MASKED", row)
